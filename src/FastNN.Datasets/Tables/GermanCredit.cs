namespace FastNN.Data;

/// <summary>
/// German credit (Hofmann, 1994; UCI, CC BY 4.0): 1 000 credits, seven numbers and thirteen categories of each, which become one
/// column per category, two classes, good (700) and bad (300). The category <c>personal_status</c> tells the sex. From the Debian
/// package <c>weka</c>.
/// </summary>
public static class GermanCredit
{
    private const string FileName = "german-credit.csv";
    private const string PackageFile = "usr/share/doc/weka/examples/credit-g.arff";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "german-credit",
        License = "CC BY 4.0",
        Source = new DebianPackage("weka", PackageFile),
        Files = [new DatasetFile(FileName, 139_016, "38b6dbf6fb4b0311a3ffc005730f42623128591fb36473ab3c22d270c0467632")],
        Convert = Convert,
        Describe = folder => Summary.Of(Read(folder)),
    };

    private static readonly string[] Categories =
        [
            "checking_status", "credit_history", "purpose", "savings_status", "employment", "personal_status", "other_parties",
            "property_magnitude", "other_payment_plans", "housing", "job", "own_telephone", "foreign_worker"];

    /// <summary>
    /// Loads the table as it is, neither shuffled nor standardized; without a folder from the cache, where it is fetched to
    /// (Debian) and verified.
    /// </summary>
    /// <param name="folder">A folder with <c>german-credit.csv</c>, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The file is malformed, or in the cache not the known one.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static Dataset Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static Dataset Read(DatasetFolder folder) => TableFile.Load(folder, FileName, new CsvOptions
    {
        TargetName = "class",
        ClassNames = ["good", "bad"],
        Categories = Categories,
    });

    private static void Convert(string root, string destination)
    {
        ArffTable table = ArffTable.Read(Path.Combine(root, PackageFile));
        TableFile.Write(Path.Combine(destination, FileName), table.Names, table.Columns);
    }
}
