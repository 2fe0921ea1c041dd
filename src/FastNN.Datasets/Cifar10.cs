using FastNN.Formats;

namespace FastNN.Data;

/// <summary>
/// CIFAR-10 (Krizhevsky, 2009) in its binary version: <c>data_batch_1.bin</c> to <c>data_batch_5.bin</c> and
/// <c>test_batch.bin</c>, records of a label and 3 x 32 x 32 bytes in planes, which are turned into <c>[32, 32, 3]</c>.
/// FastNN does not fetch it: the files must be on the machine.
/// </summary>
public static class Cifar10
{
    private const int Side = 32;
    private const int Channels = 3;
    private const int Plane = Side * Side;
    private const int Record = 1 + (Channels * Plane);
    private const string SubFolder = "cifar-10-batches-bin";

    private static readonly string[] TrainFiles =
        ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];

    private static readonly string[] Names =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Loads CIFAR-10; features are bytes times 1/255.</summary>
    /// <param name="folder">The folder with the six files, or the one that holds it as <c>cifar-10-batches-bin</c>.</param>
    /// <exception cref="FileFormatException">A file is not a whole number of records, or a label is above 9.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static DatasetSplit Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"cannot read CIFAR-10: there is no folder '{folder}'");
        string inner = Path.Combine(folder, SubFolder);
        string source = Directory.Exists(inner) ? inner : folder;
        return new DatasetSplit(
            LoadFiles([.. TrainFiles.Select(file => Path.Combine(source, file))]),
            LoadFiles(Path.Combine(source, "test_batch.bin")));
    }

    /// <summary>Whether a folder holds the files that <see cref="Load(string)"/> reads.</summary>
    /// <param name="folder">As for <see cref="Load(string)"/>.</param>
    public static bool IsPresent(string folder) =>
        File.Exists(Path.Combine(folder, "test_batch.bin")) || File.Exists(Path.Combine(folder, SubFolder, "test_batch.bin"));

    /// <summary>Loads files of records, one after the other.</summary>
    /// <param name="paths">The files.</param>
    /// <exception cref="FileFormatException">A file is not a whole number of records, or a label is above 9.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static Dataset LoadFiles(params IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var files = new List<(Stream Stream, string Name)>();
        try
        {
            foreach (string path in paths)
                files.Add((InputFile.OpenRead(path), path));
            return ReadAll(files);
        }
        finally
        {
            foreach ((Stream stream, _) in files)
                stream.Dispose();
        }
    }

    /// <summary>Loads the records of a stream.</summary>
    /// <param name="stream">The records, from the stream's first byte where it can seek; one that cannot, such as a pipe, is read
    /// into memory. It stays open.</param>
    /// <param name="name">What messages call the stream.</param>
    /// <exception cref="FileFormatException">The stream is not a whole number of records, or a label is above 9.</exception>
    public static Dataset Read(Stream stream, string name = "stream") =>
        ReadAll([(BufferedContent.Seekable(stream, name), name)]);

    internal static Dataset ReadAll(IReadOnlyList<(Stream Stream, string Name)> files)
    {
        long records = 0;
        foreach ((Stream stream, string name) in files)
        {
            long length = stream.Length;
            if (length == 0 || length % Record != 0)
            {
                throw new FileFormatException(name, length - (length % Record),
                    $"records of {Record} bytes", length == 0 ? "an empty file" : $"{length % Record} bytes at the end");
            }

            records += length / Record;
        }

        if (records == 0 || records * Channels * Plane > Array.MaxLength)
            throw new ArgumentException(
                $"{records} records are not between 1 and {Array.MaxLength / (Channels * Plane)}", nameof(files));
        var images = new byte[records * Channels * Plane];
        var labels = new int[records];
        int row = 0;
        foreach ((Stream stream, string name) in files)
            row = ReadRecords(stream, name, images, labels, row);
        return Dataset.FromBytes(images, [Side, Side, Channels], labels, Names);
    }

    private static int ReadRecords(Stream stream, string name, byte[] images, int[] labels, int row)
    {
        Span<byte> record = stackalloc byte[Record];
        stream.Position = 0;
        long count = stream.Length / Record;
        for (long i = 0; i < count; i++, row++)
        {
            int got = stream.ReadAtLeast(record, Record, throwOnEndOfStream: false);
            if (got < Record || row == labels.Length)
                throw new FileFormatException(
                    name, (i * Record) + got, "a file that keeps its length", "one that changed while it was read");
            if (record[0] >= Names.Length)
                throw new FileFormatException(name, i * Record, $"a label from 0 to {Names.Length - 1}", $"{record[0]}");
            labels[row] = record[0];
            Interleave(record[1..], images.AsSpan(row * Channels * Plane, Channels * Plane));
        }

        return row;
    }

    private static void Interleave(ReadOnlySpan<byte> planes, Span<byte> pixels)
    {
        for (int channel = 0; channel < Channels; channel++)
        {
            ReadOnlySpan<byte> plane = planes.Slice(channel * Plane, Plane);
            for (int i = 0; i < plane.Length; i++)
                pixels[(i * Channels) + channel] = plane[i];
        }
    }
}
