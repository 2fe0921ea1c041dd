namespace FastNN.Data;

/// <summary>A package of a public registry, fetched with the package manager that is on the machine.</summary>
internal abstract record PackageSource
{
    /// <summary>The end of an instruction: which package holds the files, and how to give it by hand.</summary>
    public abstract string Instructions(string folder);

    /// <summary>Makes the content of the package available.</summary>
    /// <param name="work">An empty folder to work in, which goes afterwards.</param>
    /// <param name="byHand">A folder where the user may have put the package's archive; it need not exist.</param>
    /// <param name="progress">Told in one line what is being done.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <returns>The root of the content.</returns>
    public abstract string Fetch(string work, string byHand, Action<string> progress, CancellationToken cancellationToken);

    /// <summary>The first file in a folder that matches a pattern, or null.</summary>
    protected static string? FindArchive(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal).FirstOrDefault() : null;
}
