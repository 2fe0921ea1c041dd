namespace FastNN.Data;

/// <summary>
/// The iris flowers (Anderson, 1935; Fisher, 1936; CC BY 4.0): 150 flowers, length and width of sepals and petals in centimeters,
/// features <c>[4]</c>, three classes of 50. From the Debian package <c>weka</c>, in UCI's version, which differs from Fisher's
/// in two flowers (numbers 35 and 38).
/// </summary>
public static class Iris
{
    private const string FileName = "iris.csv";
    private const string PackageFile = "usr/share/doc/weka/examples/iris.arff";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "iris",
        License = "CC BY 4.0",
        Source = new DebianPackage("weka", PackageFile),
        Files = [new DatasetFile(FileName, 4_602, "5c38242d49a8df86dbcc795ea8f58282b7ca93f8723261578b0a53a49bd5ba9f")],
        Convert = Convert,
        Describe = folder => Summary.Of(Read(folder)),
    };

    /// <summary>
    /// Loads the table as it is, neither shuffled nor standardized; without a folder from the cache, where it is fetched to
    /// (Debian) and verified.
    /// </summary>
    /// <param name="folder">A folder with <c>iris.csv</c>, plain or gzip; null for the cache.</param>
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
        ClassNames = ["Iris-setosa", "Iris-versicolor", "Iris-virginica"],
    });

    private static void Convert(string root, string destination)
    {
        ArffTable table = ArffTable.Read(Path.Combine(root, PackageFile));
        TableFile.Write(Path.Combine(destination, FileName), table.Names, table.Columns);
    }
}
