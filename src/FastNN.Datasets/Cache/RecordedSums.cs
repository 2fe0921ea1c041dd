using System.Buffers;
using System.Security.Cryptography;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>
/// The sums of files whose content nobody knows beforehand, as they were when they were fetched, in the format of
/// <c>sha256sum</c>: a copy that is damaged later is noticed.
/// </summary>
internal static class RecordedSums
{
    public const string FileName = "SHA256SUMS";

    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    private const int MaxBytes = 1 << 16;
    private const int Digits = 64;

    /// <summary>Records the sums of files that were just made.</summary>
    public static void Write(string folder, IEnumerable<DatasetFile> files)
    {
        using var sums = new StreamWriter(Path.Combine(folder, FileName)) { NewLine = "\n" };
        foreach (DatasetFile file in files)
        {
            using FileStream content = File.OpenRead(Path.Combine(folder, file.Name));
            sums.WriteLine($"{Convert.ToHexStringLower(SHA256.HashData(content))}  {file.Name}");
        }
    }

    /// <summary>The recorded sum of a file.</summary>
    /// <exception cref="FileFormatException">There is none.</exception>
    public static string Read(string folder, string name)
    {
        string path = Path.Combine(folder, FileName);
        using FileStream file = InputFile.OpenRead(path);
        if (file.Length > MaxBytes)
        {
            throw new FileFormatException(path, MaxBytes, $"at most {MaxBytes} bytes of sums", $"{file.Length}");
        }

        using var text = new StreamReader(file);
        int number = 0;
        while (text.ReadLine() is { } line)
        {
            number++;
            if (line.Length < Digits + 2 || line.AsSpan(0, Digits).ContainsAnyExcept(Hexadecimal))
            {
                throw new FileFormatException(path, number, 1, "a SHA-256 sum, two spaces and a file name", line);
            }

            if (line.AsSpan(Digits + 2).SequenceEqual(name))
            {
                return line[..Digits];
            }
        }

        throw new FileFormatException(path, number + 1, 1, $"the sum of {name}", "the end of the file");
    }
}
