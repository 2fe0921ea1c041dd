namespace FastNN.Data;

/// <summary>Several Debian packages, unpacked into one folder, without what they depend on.</summary>
/// <param name="Packages">The packages.</param>
internal sealed record DebianPackageSet(params DebianPackage[] Packages) : PackageSource
{
    public override string Instructions(string folder) =>
        $"or the Debian packages {string.Join(", ", Packages.Select(package => package.Name))} there as NAME_VERSION.deb ('apt-get download NAME' gets one where there is a network)";

    public override string Fetch(string work, string byHand, Action<string> progress, CancellationToken cancellationToken)
    {
        string root = Path.Combine(work, "content");
        foreach (DebianPackage package in Packages)
        {
            package.Unpack(root, work, byHand, progress, cancellationToken);
        }

        return root;
    }
}

/// <summary>
/// A program from a Debian package: as it is installed, or unpacked without installing, with all packages that it needs and the
/// machine has not.
/// </summary>
/// <param name="Name">The package.</param>
/// <param name="Program">The program's path, without the slash in front.</param>
internal sealed record DebianProgram(string Name, string Program) : PackageSource
{
    public override string Instructions(string folder) =>
        $"made by the program {Program} of the Debian package {Name} ('apt-get install {Name}' installs it where there is a network)";

    public override string Fetch(string work, string byHand, Action<string> progress, CancellationToken cancellationToken)
    {
        if (File.Exists("/" + Program))
        {
            progress($"with the installed package {Name}");
            return "/";
        }

        progress($"apt-get download {Name} and what it needs");
        string cache = Directory.CreateDirectory(Path.Combine(work, "cache", "archives", "partial")).Parent!.Parent!.FullName;
        string[] download =
        [
            "-q", "-o", "APT::Sandbox::User=root", "-o", $"Dir::Cache={cache}", "-o", "Debug::NoLocking=1", "-y",
            "--no-install-recommends", "--download-only",
        ];
        try
        {
            Tool.Run("apt-get", [.. download, "install", Name], work, cancellationToken);
        }
        catch (ToolException e) when (e.Started)
        {
            progress("apt-get knows no such package yet; fetching package lists");
            string lists = Directory.CreateDirectory(Path.Combine(work, "lists", "partial")).Parent!.FullName;
            download = [.. download, "-o", $"Dir::State::Lists={lists}"];
            Tool.Run("apt-get", [.. download, "update"], work, cancellationToken);
            Tool.Run("apt-get", [.. download, "install", Name], work, cancellationToken);
        }

        string root = Path.Combine(work, "content");
        foreach (string archive in Directory.GetFiles(Path.Combine(cache, "archives"), "*.deb").Order(StringComparer.Ordinal))
        {
            Tool.Run("dpkg-deb", ["-x", archive, root], work, cancellationToken);
        }

        return File.Exists(Path.Combine(root, Program))
            ? root
            : throw new IOException($"{Name} holds no {Program}; is it a newer release than FastNN knows?");
    }

    /// <summary>The folders below a root that hold shared libraries, for the loader's search path.</summary>
    public static string LibraryPath(string root) => root == "/" ? "" : string.Join(
        ':', Directory.EnumerateFiles(root, "*.so*", SearchOption.AllDirectories).Select(Path.GetDirectoryName).Distinct()
            .Order(StringComparer.Ordinal));
}
