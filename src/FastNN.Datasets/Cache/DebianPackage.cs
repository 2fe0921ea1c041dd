namespace FastNN.Data;

/// <summary>
/// A Debian package: as it is installed, or downloaded and unpacked without installing. Where apt knows no packages (no
/// <c>apt-get update</c> yet, as in a fresh container), package lists are fetched into a temporary folder, which needs no
/// privileges and leaves the machine as it was. The version is the one of the machine's release.
/// </summary>
/// <param name="Name">The package.</param>
/// <param name="Paths">The files that are needed, without the slash in front.</param>
internal sealed record DebianPackage(string Name, params string[] Paths) : PackageSource
{
    // Downloads of root are else made by a user who may not write into the folder.
    private static readonly string[] AsSelf = ["-q", "-o", "APT::Sandbox::User=root"];

    public override string Instructions(string folder) =>
        $"or the Debian package {Name} there as {Name}_VERSION.deb ('apt-get download {Name}' gets it where there is a network)";

    public override string Fetch(string work, string byHand, Action<string> progress, CancellationToken cancellationToken)
    {
        if (FindArchive(byHand, $"{Name}_*.deb") is null && Array.TrueForAll(Paths, path => File.Exists("/" + path)))
        {
            progress($"from the installed package {Name}");
            return "/";
        }

        string root = Path.Combine(work, "content");
        Unpack(root, work, byHand, progress, cancellationToken);
        return root;
    }

    /// <summary>Unpacks the package, whether it is installed or not.</summary>
    /// <param name="root">Takes the content.</param>
    /// <param name="work">As for <see cref="Fetch"/>, with the others.</param>
    /// <param name="byHand">As for <see cref="Fetch"/>.</param>
    /// <param name="progress">As for <see cref="Fetch"/>.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    public void Unpack(
        string root, string work, string byHand, Action<string> progress, CancellationToken cancellationToken)
    {
        string? archive = FindArchive(byHand, $"{Name}_*.deb");
        if (archive is null)
        {
            progress($"apt-get download {Name}");
            Download(work, progress, cancellationToken);
            archive = FindArchive(work, $"{Name}_*.deb") ?? throw new IOException($"apt-get download left no {Name}_*.deb");
        }

        progress($"unpacking {Path.GetFileName(archive)}");
        Tool.Run("dpkg-deb", ["-x", archive, root], work, cancellationToken);
        if (Array.Find(Paths, path => !File.Exists(Path.Combine(root, path))) is { } missing)
        {
            throw new IOException($"{Path.GetFileName(archive)} holds no {missing}; is it a newer release than FastNN knows?");
        }
    }

    private void Download(string work, Action<string> progress, CancellationToken cancellationToken)
    {
        try
        {
            Tool.Run("apt-get", [.. AsSelf, "download", Name], work, cancellationToken);
        }
        catch (ToolException e) when (e.Started)
        {
            progress("apt-get knows no such package yet; fetching package lists");
            string lists = Directory.CreateDirectory(Path.Combine(work, "lists", "partial")).Parent!.FullName;
            string cache = Directory.CreateDirectory(Path.Combine(work, "cache", "archives", "partial")).Parent!.Parent!.FullName;
            string[] own = [.. AsSelf, "-o", $"Dir::State::Lists={lists}", "-o", $"Dir::Cache={cache}"];
            try
            {
                Tool.Run("apt-get", [.. own, "update"], work, cancellationToken);
                Tool.Run("apt-get", [.. own, "download", Name], work, cancellationToken);
            }
            catch (ToolException again)
            {
                throw new IOException($"{again.Message} (is a Debian mirror set up? try 'apt-get update')", again);
            }
        }
    }
}
