using System.Globalization;

namespace FastNN.Data;

/// <summary>A film of <see cref="MovielensData"/>.</summary>
public sealed class MovielensFilm
{
    internal MovielensFilm(int id, string title, int? year, string[] genres) =>
        (Id, Title, Year, Genres) = (id, title, year, genres);

    /// <summary>The film's number in MovieLens.</summary>
    public int Id { get; }

    /// <summary>The title, empty for a few.</summary>
    public string Title { get; }

    /// <summary>The year, or null where it is not known.</summary>
    public int? Year { get; }

    /// <summary>The genres, such as "Comedy"; empty where none are listed.</summary>
    public IReadOnlyList<string> Genres { get; }
}

/// <summary>Who gave which film how many stars.</summary>
public sealed class MovielensData
{
    internal MovielensData(Dataset ratings, long[] times, int users, MovielensFilm[] films) =>
        (Ratings, Times, Users, Films) = (ratings, times, users, films);

    /// <summary>
    /// The ratings: features <c>[2]</c>, the indices of user and film, and targets <c>[1]</c>, stars from 0.5 to 5.
    /// </summary>
    public Dataset Ratings { get; }

    /// <summary>When each rating was given, in seconds since 1970.</summary>
    public IReadOnlyList<long> Times { get; }

    /// <summary>The number of users.</summary>
    public int Users { get; }

    /// <summary>The films, by their indices in <see cref="Ratings"/>.</summary>
    public IReadOnlyList<MovielensFilm> Films { get; }
}

/// <summary>
/// MovieLens, the small set of 2016 (Harper and Konstan, 2015: The MovieLens datasets): 100 004 ratings of 9 066 films by 671
/// users. From the Debian package <c>r-cran-dslabs</c>. The license of GroupLens allows research and asks for permission before
/// the data are passed on or put to commercial use.
/// </summary>
public static class Movielens
{
    private const string RatingsName = "ratings.csv";
    private const string FilmsName = "films.csv";
    private const string PackageFolder = "usr/lib/R/site-library/dslabs/data";
    private const string NoGenre = "(no genres listed)";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "movielens",
        License = "GroupLens: research; ask before redistribution or commercial use",
        Source = new DebianPackage("r-cran-dslabs", $"{PackageFolder}/Rdata.rdb", $"{PackageFolder}/Rdata.rdx"),
        Files =
        [
            new DatasetFile(RatingsName, 2_164_009, "9c084ce108d2e655b1e63057db47c452504a82988b26b42ca1ff3daae8cea749"),
            new DatasetFile(FilmsName, 427_995, "cbb40cfaa782d0da900946135a977ee5420690d964fc955e6582d6ab1f673edf"),
        ],
        Convert = Convert,
        Describe = folder => Describe(Read(folder)),
    };

    private static readonly string[] RatingsHeader = ["user", "film", "stars", "time"];
    private static readonly string[] FilmsHeader = ["id", "title", "year", "genres"];

    /// <summary>Loads the ratings, user by user; without a folder from the cache, where they are fetched to (Debian) and
    /// verified.</summary>
    /// <param name="folder">A folder with <c>ratings.csv</c> and <c>films.csv</c>, plain or gzip, in the format of the cache
    /// (indices from 0); null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">They cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">A file is malformed, a film's index is out of range, or a file in the cache is not
    /// the known one.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static MovielensData Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static string Describe(MovielensData data) =>
        $"{data.Ratings.Count} ratings of {data.Films.Count} films by {data.Users} users";

    private static MovielensData Read(DatasetFolder folder)
    {
        (byte[] content, string path) = folder.Read(FilmsName);
        MovielensFilm[] films = [.. TextTable.Read(content, path, FilmsHeader, ReadFilm)];

        // Indices become floats, which hold whole numbers up to 2^24.
        (content, path) = folder.Read(RatingsName);
        var ratings = TextTable.Read(content, path, RatingsHeader, record => (
            User: record.Whole(0, 0, (1 << 24) - 1), Film: record.Whole(1, 0, films.Length - 1), Stars: record.Number(2),
            Time: record.Whole(3, 0, long.MaxValue)));
        float[] features = [.. ratings.SelectMany(rating => new float[] { rating.User, rating.Film })];
        float[] stars = [.. ratings.Select(rating => rating.Stars)];
        int users = 1 + (int)ratings.Max(rating => rating.User);
        long[] times = [.. ratings.Select(rating => rating.Time)];
        return new MovielensData(Dataset.FromFloats(features, [2], stars, [1], ["user", "film"]), times, users, films);
    }

    private static MovielensFilm ReadFilm(CsvRecords record) => new(
        (int)record.Whole(0, 0, int.MaxValue), record.Text(1), record.Cell(2).IsEmpty ? null : (int)record.Whole(2, 0, 9999),
        record.Cell(3).IsEmpty ? [] : record.Text(3).Split('|'));

    private static void Convert(string root, string destination)
    {
        string path = Path.Combine(root, PackageFolder, "Rdata");
        RTable table = RTable.From(RDatabase.Read(path, "movielens"), path);
        double[] users = table.Numbers("userId"), films = table.Numbers("movieId");
        double[] userIds = Distinct(users), filmIds = Distinct(films);
        TableFile.Write(Path.Combine(destination, RatingsName), RatingsHeader,
            [Indices(users, userIds), Indices(films, filmIds), table.Cells("rating"), table.Cells("timestamp")]);

        string?[] titles = table.Cells("title"), years = table.Cells("year"), genres = table.Cells("genres");
        int[] rows = Array.ConvertAll(filmIds, id => Array.IndexOf(films, id));
        TableFile.Write(Path.Combine(destination, FilmsName), FilmsHeader,
        [
            Array.ConvertAll(filmIds, id => id.ToString("R", CultureInfo.InvariantCulture)),
            Array.ConvertAll(rows, row => titles[row]),
            Array.ConvertAll(rows, row => years[row]),
            Array.ConvertAll(rows, row => genres[row] == NoGenre ? null : genres[row]),
        ]);
    }

    private static double[] Distinct(double[] ids) => [.. ids.Distinct().Order()];

    private static string[] Indices(double[] ids, double[] distinct) => Array.ConvertAll(
        ids, id => Array.BinarySearch(distinct, id).ToString(CultureInfo.InvariantCulture));
}
