using System.Globalization;

namespace FastNN.Data;

/// <summary>
/// The demand for electricity in England and Wales in every half hour from Monday 5 June to Sunday 27 August 2000, 4 032 numbers
/// in megawatts (Taylor, 2003: Short-term electricity demand forecasting using double seasonal exponential smoothing), with a
/// season of 48 (a day) and one of 336 (a week). From the Debian package <c>r-cran-forecast</c> (GPL-3).
/// </summary>
public static class ElectricityDemand
{
    /// <summary>Half hours in a day.</summary>
    public const int Day = 48;

    /// <summary>Half hours in a week.</summary>
    public const int Week = 336;

    private const string FileName = "electricity-demand.csv";
    private const string PackageFolder = "usr/lib/R/site-library/forecast/data";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "electricity-demand",
        License = "GPL-3 (the R package forecast)",
        Source = new DebianPackage("r-cran-forecast", $"{PackageFolder}/Rdata.rdb", $"{PackageFolder}/Rdata.rdx"),
        Files = [new DatasetFile(FileName, 24_202, "8950a55f3624499556820325e24aac0648564393df8e0da3c21bbb6ff3591326")],
        Convert = Convert,
        Describe = folder => $"{Read(folder).Length} half hours",
    };

    private static readonly string[] Header = ["megawatts"];

    /// <summary>
    /// Loads the series in order of time; without a folder from the cache, where it is fetched to (Debian) and verified.
    /// </summary>
    /// <param name="folder">A folder with <c>electricity-demand.csv</c>, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The file is malformed, or in the cache not the known one.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static float[] Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static float[] Read(DatasetFolder folder)
    {
        (byte[] content, string path) = folder.Read(FileName);
        return [.. TextTable.Read(content, path, Header, record => record.Number(0))];
    }

    private static void Convert(string root, string destination)
    {
        string path = Path.Combine(root, PackageFolder, "Rdata");
        double[] series = RDatabase.Read(path, "taylor") switch
        {
            RIntegers whole => Array.ConvertAll(whole.Values, value => (double)value),
            RNumbers numbers => numbers.Values,
            var other => throw new FileFormatException(path + ".rdb", 0, "a series of numbers", other.Kind),
        };
        string[] cells = Array.ConvertAll(series, value => value.ToString("R", CultureInfo.InvariantCulture));
        TableFile.Write(Path.Combine(destination, FileName), Header, [cells]);
    }
}
