using System.Globalization;

namespace FastNN.Hosting;

/// <summary>
/// A folder of models: NAME/VERSION/model.onnx or model.safetensors, and NAME/model.json with settings. Nothing outside of it
/// is read: neither by a name nor by a link.
/// </summary>
internal sealed class ModelFolder
{
    private readonly string _root;
    private readonly ServingSettings _defaults;
    private readonly CatalogLog _log;
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);

    /// <param name="path">The folder.</param>
    /// <param name="defaults">How models without settings of their own are served.</param>
    /// <param name="log">Is told what is left out.</param>
    public ModelFolder(string path, ServingSettings defaults, CatalogLog log)
    {
        _root = Path.GetFullPath(path);
        (_defaults, _log) = (defaults, log);
    }

    /// <summary>The models that are there and not known yet.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public IReadOnlyList<ModelSource> Sources(Func<string, bool> isKnown)
    {
        List<ModelSource> sources = [];
        foreach (string path in Directory.EnumerateDirectories(_root).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(path);

            // Folders that begin with a dot are how volumes and editors hide what is theirs.
            if (isKnown(name) || name[0] == '.')
            {
                continue;
            }

            string? fault = ModelName.Fault(name) ?? (FolderPath.IsInside(_root, path) ? null : "it is a link out of the folder");
            if (fault is null)
            {
                sources.Add(Source(name, path));
            }
            else if (_refused.Add(name))
            {
                _log.FolderRefused(Formats.Quote.Text(name), fault);
            }
        }

        return sources;
    }

    /// <summary>One model; null where there is none of that name.</summary>
    public ModelSource? Find(string name)
    {
        if (ModelName.Fault(name) is not null)
        {
            return null;
        }

        string path = Path.Combine(_root, name);

        // A file system that ignores case must not give one model two names.
        return Directory.Exists(path) && FolderPath.IsInside(_root, path)
            && Directory.EnumerateDirectories(_root).Any(folder => Path.GetFileName(folder) == name)
            ? Source(name, path)
            : null;
    }

    private FolderModelSource Source(string name, string path) =>
        new() { Name = name, Root = _root, Folder = path, Defaults = _defaults };
}

/// <summary>A model whose versions are folders.</summary>
internal sealed class FolderModelSource : ModelSource
{
    /// <summary>The folder of all models.</summary>
    public required string Root { get; init; }

    /// <summary>The model's folder.</summary>
    public required string Folder { get; init; }

    /// <summary>How it is served where its own file does not say.</summary>
    public required ServingSettings Defaults { get; init; }

    /// <inheritdoc/>
    public override string Location => Folder;

    private string ManifestPath => Path.Combine(Folder, ModelManifest.FileName);

    /// <inheritdoc/>
    public override IReadOnlyList<VersionFile> Scan()
    {
        if (!Directory.Exists(Folder) || !FolderPath.IsInside(Root, Folder))
        {
            return [];
        }

        List<VersionFile> versions = [];
        foreach (string path in Directory.EnumerateDirectories(Folder))
        {
            if (Number(Path.GetFileName(path)) is { } number && ModelFile(path) is { } file)
            {
                string[] files = Directory.GetFiles(path);
                Array.Sort(files, StringComparer.Ordinal);
                versions.Add(new VersionFile(number, file, FileStamp.Of([ManifestPath, .. files]), IsWanted: false));
            }
        }

        versions.Sort((left, right) => right.Number.CompareTo(left.Number));
        ModelManifest manifest = ManifestOrDefault();
        return [.. versions.Select((version, place) => version with { IsWanted = manifest.Wants(version.Number, place) })];
    }

    /// <inheritdoc/>
    public override ServingSettings Settings() => ReadManifest().Over(Defaults);

    /// <summary>Where the settings are malformed, loading the version that the default policy asks for says so.</summary>
    private ModelManifest ManifestOrDefault()
    {
        try
        {
            return ReadManifest();
        }
        catch (FileFormatException)
        {
            return new ModelManifest();
        }
    }

    private ModelManifest ReadManifest() => File.Exists(ManifestPath) && FolderPath.IsInside(Root, ManifestPath)
        ? ModelManifest.Read(ManifestPath)
        : new ModelManifest();

    /// <summary>The model's file of a version; null where there is none.</summary>
    private string? ModelFile(string version)
    {
        foreach (string extension in ModelLoader.Extensions)
        {
            string path = Path.Combine(version, "model" + extension);
            if (File.Exists(path) && FolderPath.IsInside(Root, path))
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>A version's number: positive, in decimal digits without a zero before them.</summary>
    private static long? Number(string name) =>
        long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number > 0 && name[0] != '0'
            ? number
            : null;
}
