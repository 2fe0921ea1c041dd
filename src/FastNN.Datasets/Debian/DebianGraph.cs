namespace FastNN.Data;

/// <summary>A directed graph whose nodes have texts and classes.</summary>
public sealed class PackageGraph
{
    internal PackageGraph(
        IReadOnlyList<PackageDescription> nodes, int[] sources, int[] targets, int[] labels, string[] classNames) =>
        (Nodes, Sources, Targets, Labels, ClassNames) = (nodes, sources, targets, labels, classNames);

    /// <summary>The packages.</summary>
    public IReadOnlyList<PackageDescription> Nodes { get; }

    /// <summary>For each edge the node that depends on another.</summary>
    public IReadOnlyList<int> Sources { get; }

    /// <summary>For each edge the node that is depended on.</summary>
    public IReadOnlyList<int> Targets { get; }

    /// <summary>For each node the index of its section.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>The sections in ordinal order.</summary>
    public IReadOnlyList<string> ClassNames { get; }
}

/// <summary>
/// Which package of the machine's Debian release depends on which: about 63 000 nodes, whose classes are the sections (58) and
/// whose texts are the descriptions, and some 248 000 edges (the fields Depends and Pre-Depends, every alternative that is a
/// package of the release). From the same files as <see cref="DebianDescriptions"/>, in the cache as <c>debian-packages</c>.
/// </summary>
public static class DebianGraph
{
    /// <summary>Loads the graph; without a folder from the cache, where it is fetched to (apt).</summary>
    /// <param name="folder">A folder with <c>packages.jsonl</c>, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The file is malformed, names a package twice or one that it does not have, or was
    /// changed in the cache.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static PackageGraph Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(DebianPackages.Fetched, Read, folder, progress, cancellationToken);

    private static PackageGraph Read(DatasetFolder folder)
    {
        string path = folder.Find(DebianPackages.FileName);
        List<PackageDescription> nodes = DebianDescriptions.Read(folder);
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < nodes.Count; i++)
        {
            if (!indices.TryAdd(nodes[i].Name, i))
            {
                throw new FileFormatException(path, 0, "packages of different names", $"'{nodes[i].Name}' twice");
            }
        }

        var sources = new List<int>();
        var targets = new List<int>();
        for (int i = 0; i < nodes.Count; i++)
        {
            foreach (string name in nodes[i].Depends.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                sources.Add(i);
                targets.Add(indices.TryGetValue(name, out int target) ? target : throw new FileFormatException(
                    path, 0, $"packages of the file among those that '{nodes[i].Name}' depends on", $"'{name}'"));
            }
        }

        string[] sections = [.. nodes.Select(node => node.Section).Distinct().Order(StringComparer.Ordinal)];
        int[] labels = [.. nodes.Select(node => Array.BinarySearch(sections, node.Section, StringComparer.Ordinal))];
        return new PackageGraph(nodes, [.. sources], [.. targets], labels, sections);
    }
}
