namespace FastNN.Data;

/// <summary>
/// Mortgage decisions in Boston in 1990 under the Home Mortgage Disclosure Act (Munnell, Tootell, Browne and McEneaney, 1996:
/// Mortgage lending in Boston), as Stock and Watson's textbook uses them: 2 380 applications, features <c>[13]</c>, classes no
/// and yes (denied). The feature <c>afam</c> is 1 for African American applicants, of whom 28.3 % are denied, against 9.3 % of
/// the others; <c>phist</c>, <c>selfemp</c>, <c>insurance</c>, <c>condomin</c>, <c>single</c> and <c>hschool</c> are 0 or 1 too.
/// From the Debian package <c>r-cran-aer</c> (GPL-2 or later).
/// </summary>
public static class Hmda
{
    private const string FileName = "hmda.csv";
    private const string Target = "deny";
    private const string PackageFile = "usr/lib/R/site-library/AER/data/HMDA.rda";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "hmda",
        License = "GPL-2 or later (the R package AER)",
        Source = new DebianPackage("r-cran-aer", PackageFile),
        Files = [new DatasetFile(FileName, 172_573, "63fcbd69fb3de7436797de13f48b7d51df809de51d0873362b364ed803c28d3a")],
        Convert = Convert,
        Describe = folder => Summary.Of(Read(folder)),
    };

    /// <summary>
    /// Loads the table as it is, neither shuffled nor standardized; without a folder from the cache, where it is fetched to
    /// (Debian) and verified.
    /// </summary>
    /// <param name="folder">A folder with <c>hmda.csv</c>, plain or gzip; null for the cache.</param>
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
        TargetName = Target,
        ClassNames = ["no", "yes"],
    });

    // Answers become numbers, but for the target.
    private static void Convert(string root, string destination)
    {
        string path = Path.Combine(root, PackageFile);
        RTable table = RTable.From(RFile.Read(path, "HMDA"), path);
        TableFile.Write(Path.Combine(destination, FileName), table.Names,
        [
            .. table.Names.Select(name => name == Target ? table.Cells(name) : Array.ConvertAll(
                table.Cells(name), cell => cell switch { "no" => "0", "yes" => "1", _ => cell })),
        ]);
    }
}
