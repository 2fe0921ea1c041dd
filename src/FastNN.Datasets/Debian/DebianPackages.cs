using System.Text.RegularExpressions;

namespace FastNN.Data;

/// <summary>
/// The packages of a Debian release in the cache: one file of names, sections, descriptions and dependencies, and one of
/// translations for each language. <see cref="DebianDescriptions"/> and <see cref="DebianGraph"/> read them.
/// </summary>
internal static partial class DebianPackages
{
    public const string FileName = "packages.jsonl";

    // The list of a release has 50 MB, and some more with every release.
    private const long MaxBytes = 1L << 28;

    public static readonly string[] Languages = ["de", "it"];
    public static readonly string[] Fields = ["name", "source", "section", "summary", "text", "depends"];
    public static readonly string[] TranslationFields = ["english", "translation"];

    public static readonly FetchedDataset Fetched = new()
    {
        Name = "debian-packages",
        License = "the licenses of the packages",
        Source = new DebianIndex(["en", .. Languages]),
        Files =
        [
            new DatasetFile(FileName, MaxBytes, null),
            .. Languages.Select(language => new DatasetFile(TranslationsName(language), MaxBytes, null)),
        ],
        Convert = Convert,
        Describe = folder => $"{DebianDescriptions.Read(folder).Count} packages"
            + string.Concat(Languages.Select(
                language => $", {DebianDescriptions.ReadTranslations(folder, language).Count} texts in {language}")),
    };

    public static string TranslationsName(string language) => $"translations-{language}.jsonl";

    private static void Convert(string root, string destination)
    {
        // The release itself; what was updated since, and other components, are in lists of their own.
        string list = Directory.GetFiles(root).Order(StringComparer.Ordinal).FirstOrDefault(path => PackageList().IsMatch(path))
            ?? throw new IOException("apt-get update left no list of packages of a Debian release (component main)");
        string prefix = list[..(list.LastIndexOf("_main_", StringComparison.Ordinal) + "_main_".Length)];
        Dictionary<string, string> english = Descriptions(prefix, "en");
        var packages = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        using (var text = new StreamReader(list))
        {
            foreach (Dictionary<string, string> stanza in ControlFile.Read(text, list))
            {
                if (stanza.TryGetValue("Package", out string? name) && !packages.ContainsKey(name))
                {
                    packages.Add(name, Record(name, stanza, english));
                }
            }
        }

        // What is virtual, or of another component, is no node.
        foreach (string[] package in packages.Values)
        {
            package[^1] = string.Join(
                ' ', ControlFile.Names(package[^1]).Where(one => one != package[0] && packages.ContainsKey(one)).Distinct());
        }

        JsonLines.Write(Path.Combine(destination, FileName), Fields, packages.Values);
        foreach (string language in Languages)
        {
            JsonLines.Write(
                Path.Combine(destination, TranslationsName(language)), TranslationFields,
                Aligned(english, Descriptions(prefix, language)));
        }
    }

    private static string[] Record(string name, Dictionary<string, string> stanza, Dictionary<string, string> english)
    {
        string description = english.GetValueOrDefault(stanza.GetValueOrDefault("Description-md5", ""))
            ?? stanza.GetValueOrDefault("Description", "");
        string[] paragraphs = ControlFile.Paragraphs(description);
        string section = stanza.GetValueOrDefault("Section", "unknown");

        // Without the field it is called as the package is; a version that differs stands behind it in brackets.
        string source = stanza.GetValueOrDefault("Source", name).Split(' ')[0];
        string depends = $"{stanza.GetValueOrDefault("Depends", "")},{stanza.GetValueOrDefault("Pre-Depends", "")}";
        return [name, source, section, paragraphs[0], string.Join("\n\n", paragraphs[1..]), depends];
    }

    /// <summary>The descriptions in a language by the sum of the English one, in the order of the file.</summary>
    private static Dictionary<string, string> Descriptions(string prefix, string language)
    {
        string path = $"{prefix}i18n_Translation-{language}";
        if (!File.Exists(path))
        {
            throw new IOException($"apt-get update left no descriptions in {language} ({Path.GetFileName(path)})");
        }

        var descriptions = new Dictionary<string, string>(StringComparer.Ordinal);
        using var text = new StreamReader(path);
        foreach (Dictionary<string, string> stanza in ControlFile.Read(text, path))
        {
            if (stanza.TryGetValue("Description-md5", out string? sum)
                && stanza.TryGetValue($"Description-{language}", out string? description))
            {
                descriptions.TryAdd(sum, description);
            }
        }

        return descriptions;
    }

    // Where both have as many paragraphs, these belong together; what nobody has translated yet stands there in English.
    private static IEnumerable<string[]> Aligned(Dictionary<string, string> english, Dictionary<string, string> translations)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string sum, string translation) in translations)
        {
            string[] target = ControlFile.Paragraphs(translation);
            string[] source = english.TryGetValue(sum, out string? known) ? ControlFile.Paragraphs(known) : [];
            for (int i = 0; i < source.Length && source.Length == target.Length; i++)
            {
                if (source[i] != target[i] && source[i].Length > 0 && target[i].Length > 0 && seen.Add(source[i]))
                {
                    yield return [source[i], target[i]];
                }
            }
        }
    }

    [GeneratedRegex("_dists_[a-z]+_main_binary-[a-z0-9]+_Packages$", RegexOptions.CultureInvariant)]
    private static partial Regex PackageList();
}
