namespace FastNN.Data;

/// <summary>
/// The datasets that are fetched from public packages and kept on this machine. The cache is <c>$FASTNN_DATA</c>, else
/// <c>$XDG_CACHE_HOME/fastnn</c>, else <c>~/.cache/fastnn</c> (on Windows <c>fastnn</c> in the local application data), with a
/// folder per dataset. Content is compared with known SHA-256 sums, and a dataset appears in the cache complete or not at all,
/// also where several processes fetch it at once.
/// </summary>
public static class DatasetCache
{
    private static readonly FetchedDataset[] Known =
    [
        Mnist.Fetched, FashionMnist.Fetched, LetterRecognition.Fetched, Movielens.Fetched, ElectricityDemand.Fetched,
        StateOfTheUnion.Fetched, SpamAssassin.Fetched, CmuDict.Fetched, Iris.Fetched, Housing.Fetched, Hmda.Fetched,
        GermanCredit.Fetched, DebianPackages.Fetched, SpokenDigits.Fetched, AsteriskDigits.Fetched, FestvoxRu.Fetched,
    ];

    /// <summary>The names that <see cref="Fetch"/> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(known => known.Name)];

    /// <summary>The cache's folder; it need not exist yet.</summary>
    /// <exception cref="IOException">Neither FASTNN_DATA nor XDG_CACHE_HOME is set, and the user has no home.</exception>
    public static string Root
    {
        get
        {
            if (Environment.GetEnvironmentVariable("FASTNN_DATA") is { Length: > 0 } own)
            {
                return Path.GetFullPath(own);
            }

            if (OperatingSystem.IsWindows())
            {
                return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "fastnn");
            }

            if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache))
            {
                return Path.Combine(cache, "fastnn");
            }

            string home = Environment.GetFolderPath(
                Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            return Path.IsPathRooted(home)
                ? Path.Combine(home, ".cache", "fastnn")
                : throw new IOException(
                    "there is no folder for the cache of datasets: set FASTNN_DATA, XDG_CACHE_HOME or HOME to a folder of yours");
        }
    }

    /// <summary>The folder of a dataset in the cache; it need not exist yet.</summary>
    /// <exception cref="ArgumentException">No dataset has this name.</exception>
    public static string FolderOf(string name) => Path.Combine(Root, Find(name).Name);

    /// <summary>Whether all files of a dataset are in the cache; they are not read.</summary>
    /// <exception cref="ArgumentException">No dataset has this name.</exception>
    public static bool IsPresent(string name) => Find(name).IsComplete(FolderOf(name));

    /// <summary>What to do by hand where a dataset cannot be fetched: one line that names the files and the folder.</summary>
    /// <exception cref="ArgumentException">No dataset has this name.</exception>
    public static string Instructions(string name) => Find(name).Instructions(FolderOf(name));

    /// <summary>Makes sure that a dataset is in the cache and intact: checks what is there, fetches what is not.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <returns>The dataset's folder.</returns>
    /// <exception cref="ArgumentException">No dataset has this name.</exception>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The files in the cache are damaged, or what was fetched is not the
    /// dataset.</exception>
    public static string Fetch(string name, Action<string>? progress = null, CancellationToken cancellationToken = default)
    {
        FetchedDataset dataset = Find(name);
        string folder = FolderOf(name);
        string description;
        if (dataset.IsComplete(folder))
        {
            progress?.Invoke($"{name}: checking {folder}");
            description = dataset.Describe(new DatasetFolder(dataset, folder, verify: true));
        }
        else
        {
            description = CacheFolder.Fill(folder, dataset, progress, cancellationToken);
        }

        progress?.Invoke($"{name}: {description}; license: {dataset.License}");
        return folder;
    }

    /// <summary>The license of a dataset, in a few words.</summary>
    /// <exception cref="ArgumentException">No dataset has this name.</exception>
    public static string LicenseOf(string name) => Find(name).License;

    /// <summary>
    /// Loads a dataset from a folder of the user's (unverified), or from the cache (verified), fetching it first.
    /// </summary>
    internal static T Load<T>(
        FetchedDataset dataset, Func<DatasetFolder, T> load, string? folder, Action<string>? progress,
        CancellationToken cancellationToken)
    {
        if (folder is not null)
        {
            return load(new DatasetFolder(dataset, folder, verify: false));
        }

        string cached = FolderOf(dataset.Name);
        if (!dataset.IsComplete(cached))
        {
            CacheFolder.Fill(cached, dataset, progress, cancellationToken);
        }

        return load(new DatasetFolder(dataset, cached, verify: true));
    }

    private static FetchedDataset Find(string name) => Array.Find(Known, known => known.Name == name)
        ?? throw new ArgumentException(
            $"there is no dataset '{name}' to fetch; there are {string.Join(", ", Names)}", nameof(name));
}

/// <summary>
/// A dataset is not on this machine and could not be fetched; the message is one line that says what to do by hand.
/// </summary>
public sealed class DatasetFetchException : IOException
{
    /// <summary>A fetch that failed.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="message">Why, and what to do, in one line.</param>
    /// <param name="inner">The cause, or null.</param>
    public DatasetFetchException(string dataset, string message, Exception? inner)
        : base(message, inner) => Dataset = dataset;

    /// <summary>The dataset's name.</summary>
    public string Dataset { get; }
}
