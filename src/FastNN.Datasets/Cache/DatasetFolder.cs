using System.IO.Compression;
using System.Security.Cryptography;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>
/// The files of a dataset in a folder: of the user's, read as they are, or in the cache, held against their sums.
/// </summary>
internal sealed class DatasetFolder(FetchedDataset dataset, string path, bool verify)
{
    // The most that is read of a file whose length is not known, a user's for example.
    private const long MaxBytes = 1L << 30;

    /// <summary>Whether the files must be the very files of the dataset.</summary>
    public bool Verify { get; } = verify;

    /// <summary>The path of a file in a folder, or null.</summary>
    public static string? Locate(string folder, string name)
    {
        // Copies of IDX files in the wild end in "-idx3-ubyte" or ".idx3-ubyte".
        string dotted = name.Replace("-idx", ".idx", StringComparison.Ordinal);
        foreach (string candidate in (ReadOnlySpan<string>)[name, $"{name}.gz", dotted, $"{dotted}.gz"])
        {
            string path = Path.Combine(folder, candidate);
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>The path of a file of the dataset.</summary>
    /// <exception cref="FileNotFoundException">The folder has no such file.</exception>
    public string Find(string name) => Locate(path, name) ?? throw new FileNotFoundException(
        $"{dataset.Name}: '{path}' holds no {name} (plain or .gz)", Path.Combine(path, name));

    /// <summary>What is known of a file.</summary>
    public DatasetFile Known(string name) => Array.Find(dataset.Files, file => file.Name == name)
        ?? throw new ArgumentException($"{dataset.Name} has no file {name}", nameof(name));

    /// <summary>The decompressed content of a file, and what messages call it.</summary>
    /// <exception cref="FileFormatException">It is not the file of the dataset, where that is asked, a damaged gzip stream, or
    /// too long.</exception>
    public (byte[] Content, string Path) Read(string name)
    {
        string found = Find(name);
        DatasetFile known = Known(name);
        long limit = Verify ? known.Bytes : Math.Max(known.Bytes, MaxBytes);
        using FileStream file = InputFile.OpenRead(found);
        bool gzip = found.EndsWith(".gz", StringComparison.Ordinal);
        using Stream content = gzip ? new GZipStream(file, CompressionMode.Decompress) : file;
        byte[] bytes = BoundedContent.Read(content, found, limit, gzip ? null : file.Length);
        if (Verify)
        {
            Check(name, found, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }

        return (bytes, found);
    }

    /// <summary>Refuses a file with another sum than the dataset's.</summary>
    public void Check(string name, string found, string sha256)
    {
        string expected = Known(name).Sha256 ?? RecordedSums.Read(path, name);
        if (sha256 != expected)
        {
            throw new FileFormatException(
                found, 0, $"the {name} of {dataset.Name} (SHA-256 {expected}; delete the file to have it fetched again)",
                $"SHA-256 {sha256}");
        }
    }
}
