namespace FastNN.Data;

/// <summary>
/// The lists of packages of the machine's Debian release with their descriptions in several languages, fetched into a temporary
/// folder: apt's own lists stay as they are, and no privileges are needed. A release's lists change with its point releases.
/// </summary>
/// <param name="Languages">The languages of the descriptions, such as "en".</param>
internal sealed record DebianIndex(params string[] Languages) : PackageSource
{
    public override string Instructions(string folder) =>
        "made from the package lists of a Debian release (needs Debian's apt-get and a mirror; apt's own lists stay as they are)";

    public override string Fetch(string work, string byHand, Action<string> progress, CancellationToken cancellationToken)
    {
        string lists = Directory.CreateDirectory(Path.Combine(work, "lists", "partial")).Parent!.FullName;
        string cache = Directory.CreateDirectory(Path.Combine(work, "cache", "archives", "partial")).Parent!.Parent!.FullName;
        string settings = Path.Combine(work, "apt.conf");

        // Languages are a list, which options on the command line can extend and not replace. Images for containers keep lists
        // compressed and leave languages out.
        File.WriteAllText(settings,
            $"#clear Acquire::Languages;\nAcquire::Languages {{ {string.Concat(Languages.Select(one => $"\"{one}\"; "))}}};\n"
            + "Acquire::GzipIndexes \"false\";\nAPT::Sandbox::User \"root\";\n"
            + $"Dir::State::Lists \"{lists}\";\nDir::Cache \"{cache}\";\n");
        progress($"apt-get update, with descriptions in {string.Join(", ", Languages)}");
        Tool.Run("apt-get", ["-q", "-c", settings, "update"], work, cancellationToken);
        return lists;
    }
}
