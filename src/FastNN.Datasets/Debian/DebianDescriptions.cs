namespace FastNN.Data;

/// <summary>A package of Debian and what it is said to be for.</summary>
public sealed class PackageDescription
{
    internal PackageDescription(string[] fields) =>
        (Name, Source, Section, Summary, Text, Depends) = (fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);

    /// <summary>The name, such as "hello".</summary>
    public string Name { get; }

    /// <summary>
    /// The source package that it is built from, with others as a rule: packages of one source share most of their texts.
    /// </summary>
    public string Source { get; }

    /// <summary>The section, such as "games" or "python".</summary>
    public string Section { get; }

    /// <summary>The first line of the description.</summary>
    public string Summary { get; }

    /// <summary>The other paragraphs, with empty lines between; empty for a few.</summary>
    public string Text { get; }

    internal string Depends { get; }
}

/// <summary>A text in English and in another language.</summary>
public sealed class TranslatedText
{
    internal TranslatedText(string english, string translation) => (English, Translation) = (english, translation);

    /// <summary>The text in English.</summary>
    public string English { get; }

    /// <summary>The same in the other language.</summary>
    public string Translation { get; }
}

/// <summary>
/// The descriptions of all packages of the machine's Debian release: in English, about 63 000 of 58 sections, and as pairs of
/// paragraphs with their translations into German (about 32 000) and Italian (about 111 000) by the Debian Description
/// Translation Project. They come from apt's package lists and change with Debian's point releases, so that no sum can be known
/// beforehand: it is recorded when they are fetched. Descriptions are under the licenses of their packages.
/// </summary>
public static class DebianDescriptions
{
    /// <summary>The languages of <see cref="LoadTranslations"/>: "de" and "it".</summary>
    public static IReadOnlyList<string> Languages => DebianPackages.Languages;

    /// <summary>
    /// Loads the descriptions in English in the order of their names; without a folder from the cache, where they are fetched to
    /// (apt).
    /// </summary>
    /// <param name="folder">A folder with <c>packages.jsonl</c>, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">They cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The file is malformed, or was changed in the cache.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static IReadOnlyList<PackageDescription> Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(DebianPackages.Fetched, Read, folder, progress, cancellationToken);

    /// <summary>Loads paragraphs and titles with their translations, each English text once.</summary>
    /// <param name="language">One of <see cref="Languages"/>.</param>
    /// <param name="folder">A folder with <c>translations-LANGUAGE.jsonl</c>, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="ArgumentException">There is no such language.</exception>
    /// <inheritdoc cref="Load" path="/exception"/>
    public static IReadOnlyList<TranslatedText> LoadTranslations(
        string language, string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default)
    {
        if (!DebianPackages.Languages.Contains(language))
        {
            throw new ArgumentException(
                $"expected a language of {string.Join(", ", Languages)}, got '{language}'", nameof(language));
        }

        return DatasetCache.Load(
            DebianPackages.Fetched, files => ReadTranslations(files, language), folder, progress, cancellationToken);
    }

    internal static List<PackageDescription> Read(DatasetFolder folder)
    {
        (byte[] content, string path) = folder.Read(DebianPackages.FileName);
        return JsonLines.Read(content, path, DebianPackages.Fields, (texts, line) => !texts.AsSpan(0, 3).Contains("")
            ? new PackageDescription(texts)
            : throw new FileFormatException(path, line, 1, "a name, a source and a section", "an empty text"));
    }

    internal static List<TranslatedText> ReadTranslations(DatasetFolder folder, string language)
    {
        (byte[] content, string path) = folder.Read(DebianPackages.TranslationsName(language));
        return JsonLines.Read(
            content, path, DebianPackages.TranslationFields, (texts, _) => new TranslatedText(texts[0], texts[1]));
    }
}
