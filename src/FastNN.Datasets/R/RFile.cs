using FastNN.Formats;

namespace FastNN.Data;

/// <summary>
/// Files of R: <c>.rda</c> (also <c>.RData</c>), which hold named values, and <c>.rds</c>, which hold one; plain, or compressed
/// with gzip, bzip2 or xz.
/// </summary>
internal static class RFile
{
    /// <summary>The most bytes that a file may have, compressed and decompressed.</summary>
    public const long MaxBytes = 1L << 29;

    /// <summary>The named values of an <c>.rda</c>.</summary>
    /// <exception cref="FileFormatException">The file is malformed.</exception>
    public static IReadOnlyDictionary<string, RValue> ReadNamed(string path)
    {
        byte[] content = Decompress(path);
        bool named = content.AsSpan().StartsWith("RDX2\n"u8) || content.AsSpan().StartsWith("RDX3\n"u8);
        return named ? ReadNamed(content, path) : throw new FileFormatException(
            path, 0, "a file of named values of R (RDX2 or RDX3)",
            Convert.ToHexString(content.AsSpan(0, Math.Min(5, content.Length))));
    }

    /// <summary>One of the named values of an <c>.rda</c>.</summary>
    /// <exception cref="FileFormatException">The file is malformed, or has no such value.</exception>
    public static RValue Read(string path, string name)
    {
        IReadOnlyDictionary<string, RValue> values = ReadNamed(path);
        return values.TryGetValue(name, out RValue? value)
            ? value
            : throw new FileFormatException(path, 0, $"a value '{name}'", string.Join(", ", values.Keys));
    }

    /// <summary>The value of an <c>.rds</c>.</summary>
    /// <exception cref="FileFormatException">The file is malformed.</exception>
    public static RValue ReadOne(string path) => new RReader(Decompress(path), path).Read();

    internal static IReadOnlyDictionary<string, RValue> ReadNamed(byte[] content, string name)
    {
        const int magic = 5;
        var values = new Dictionary<string, RValue>(StringComparer.Ordinal);
        if (new RReader(content, name, magic).Read() is not RPairs pairs)
        {
            throw new FileFormatException(name, magic, "a list of named values", "another value");
        }

        foreach ((string? tag, RValue value) in pairs.Items)
        {
            values[tag ?? throw new FileFormatException(name, magic, "names for all values", "a value without one")] = value;
        }

        return values;
    }

    private static byte[] Decompress(string path)
    {
        using FileStream file = InputFile.OpenRead(path);
        return RCompression.Decompress(BoundedContent.Read(file, path, MaxBytes, file.Length), path);
    }
}
