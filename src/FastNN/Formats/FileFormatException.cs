using System.Globalization;
using System.Text;

namespace FastNN;

/// <summary>
/// A data or weights file does not hold what its format asks for. The message is one line that names the file, the place,
/// what was expected there and what was found.
/// </summary>
public sealed class FileFormatException : IOException
{
    private const int LongestQuote = 80;

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
            $"{OneLine(file, int.MaxValue)}: offset {offset}: expected {OneLine(expected, int.MaxValue)}, got {OneLine(got)}"), inner)
    {
        FilePath = file;
        Offset = offset;
        Expected = expected;
        Got = got;
    }

    /// <summary>A fault in a cell of a text table.</summary>
    /// <param name="file">The file's path, or a name for a stream.</param>
    /// <param name="line">The line, from 1.</param>
    /// <param name="column">The column (the number of the cell in its record), from 1.</param>
    /// <param name="expected">What the format asks for at that place.</param>
    /// <param name="got">What the file holds.</param>
    public FileFormatException(string file, int line, int column, string expected, string got)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"{OneLine(file, int.MaxValue)}: line {line}, column {column}: expected {OneLine(expected, int.MaxValue)}, got {OneLine(got)}"))
    {
        FilePath = file;
        Offset = -1;
        Line = line;
        Column = column;
        Expected = expected;
        Got = got;
    }

    /// <summary>The file's path, or the name given for a stream.</summary>
    public string FilePath { get; }

    /// <summary>The byte offset of the fault, or -1 where <see cref="Line"/> and <see cref="Column"/> tell the place.</summary>
    public long Offset { get; }

    /// <summary>The line from 1, or 0 in a binary file.</summary>
    public int Line { get; }

    /// <summary>The column from 1, or 0 in a binary file.</summary>
    public int Column { get; }

    /// <summary>What the format asks for at that place.</summary>
    public string Expected { get; }

    /// <summary>What the file holds.</summary>
    public string Got { get; }

    // A hostile file decides what is quoted: it may neither break the line nor flood a log.
    private static string OneLine(string text, int longest = LongestQuote)
    {
        var line = new StringBuilder(Math.Min(text.Length, 1024));
        foreach (char c in text)
        {
            if (line.Length >= longest)
            {
                line.Append("...");
                break;
            }

            if (char.IsControl(c) || c is '\u2028' or '\u2029' || char.IsSurrogate(c))
                line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                line.Append(c);
        }

        return line.ToString();
    }
}
