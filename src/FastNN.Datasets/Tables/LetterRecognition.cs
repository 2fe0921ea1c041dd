namespace FastNN.Data;

/// <summary>
/// Letter recognition (Frey and Slate, 1991; UCI, CC BY 4.0): 20 000 distorted capital letters in 20 fonts, 16 numbers from 0 to
/// 15 that describe the picture of each, features <c>[16]</c>, 26 classes A to Z. The first 16 000 are to train on, the last
/// 4 000 to test on, as in the paper. From the Debian package <c>r-cran-mlbench</c>.
/// </summary>
public static class LetterRecognition
{
    private const string FileName = "letter-recognition.csv";
    private const string PackageFile = "usr/lib/R/site-library/mlbench/data/LetterRecognition.rda";
    private const int TrainCount = 16_000;

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "letter-recognition",
        License = "CC BY 4.0",
        Source = new DebianPackage("r-cran-mlbench", PackageFile),
        Files = [new DatasetFile(FileName, 712_667, "63d20d64650cfaea6c67ea38906d241b296c24c2daf39f526c49954e135271c4")],
        Convert = Convert,
        Describe = folder => Summary.Of(Read(folder)),
    };

    private static readonly string[] Letters = [.. Enumerable.Range('A', 26).Select(letter => $"{(char)letter}")];

    /// <summary>
    /// Loads the table as it is, not standardized; without a folder from the cache, where it is fetched to (Debian) and verified.
    /// </summary>
    /// <param name="folder">A folder with <c>letter-recognition.csv</c>, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The file is malformed, has no more than 16 000 rows, or in the cache is not the
    /// known one.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static DatasetSplit Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static DatasetSplit Read(DatasetFolder folder)
    {
        Dataset table = TableFile.Load(folder, FileName, new CsvOptions { TargetName = "letter", ClassNames = Letters });
        return table.Count > TrainCount
            ? table.Split(TrainCount)
            : throw new FileFormatException(
                folder.Find(FileName), table.Count + 2, 1, $"more than {TrainCount} rows", "the end of the file");
    }

    private static void Convert(string root, string destination)
    {
        string path = Path.Combine(root, PackageFile);
        RTable table = RTable.From(RFile.Read(path, "LetterRecognition"), path);
        string[] names = ["letter", .. table.Names.Skip(1)];
        TableFile.Write(Path.Combine(destination, FileName), names, [.. table.Names.Select(table.Cells)]);
    }
}
