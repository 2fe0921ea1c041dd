using System.Globalization;
using FastNN.Formats;

namespace FastNN;

/// <summary>
/// A data or weights file does not hold what its format asks for. The message is one line that names the file, the place,
/// what was expected there and what was found.
/// </summary>
public sealed class FileFormatException : IOException
{
    // Some expectations are sentences of our own around quoted names, each of which is cut by itself.
    private const int LongestExpectation = 300;

    /// <inheritdoc cref="FileFormatException(string, long, string, string, Exception?)"/>
    public FileFormatException(string file, long offset, string expected, string got)
        : this(file, offset, expected, got, null)
    {
    }

    /// <summary>A fault at a byte of a binary file.</summary>
    /// <param name="file">The file's path, or a name for a stream.</param>
    /// <param name="offset">The byte offset of the fault from the start of the (decompressed) content.</param>
    /// <param name="expected">What the format asks for at that place.</param>
    /// <param name="got">What the file holds.</param>
    /// <param name="inner">The cause, if another exception told of the fault.</param>
    public FileFormatException(string file, long offset, string expected, string got, Exception? inner)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"{Quote.Text(file, int.MaxValue)}: offset {offset}: expected {Quote.Text(expected, LongestExpectation)}, got {Quote.Text(got)}"), inner)
    {
        FilePath = file;
        Offset = offset;
        Expected = Quote.Text(expected, LongestExpectation);
        Got = Quote.Text(got);
    }

    /// <summary>A fault in a cell of a text table.</summary>
    /// <param name="file">The file's path, or a name for a stream.</param>
    /// <param name="line">The line, from 1.</param>
    /// <param name="column">The column (the number of the cell in its record), from 1.</param>
    /// <param name="expected">What the format asks for at that place.</param>
    /// <param name="got">What the file holds.</param>
    public FileFormatException(string file, int line, int column, string expected, string got)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"{Quote.Text(file, int.MaxValue)}: line {line}, column {column}: expected {Quote.Text(expected, LongestExpectation)}, got {Quote.Text(got)}"))
    {
        FilePath = file;
        Offset = -1;
        Line = line;
        Column = column;
        Expected = Quote.Text(expected, LongestExpectation);
        Got = Quote.Text(got);
    }

    /// <summary>The file's path, or the name given for a stream.</summary>
    public string FilePath { get; }

    /// <summary>The byte offset of the fault, or -1 where <see cref="Line"/> and <see cref="Column"/> tell the place.</summary>
    public long Offset { get; }

    /// <summary>The line from 1, or 0 in a binary file.</summary>
    public int Line { get; }

    /// <summary>The column from 1, or 0 in a binary file.</summary>
    public int Column { get; }

    /// <summary>What the format asks for at that place, in one line of at most 300 characters.</summary>
    public string Expected { get; }

    /// <summary>What the file holds, in one line of at most 80 characters.</summary>
    public string Got { get; }
}
