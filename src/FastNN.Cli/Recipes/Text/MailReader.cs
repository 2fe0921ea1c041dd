using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// What a person sees of a mail, as words: its subject and its body, all other headers left out. Parts in MIME are decoded and
/// attachments passed over; a tag of HTML is a word where it first stands, addresses, links and numbers are one word each,
/// whatever they are, and a word stands in front of those in capitals. What mailing lists add, a name in brackets in the subject
/// and lines below a long line of underscores at the end, tells which list it is, not what the mail is, and goes.
/// </summary>
internal static partial class MailReader
{
    private const int MaxDepth = 5, MaxFooter = 800, MaxWord = 24;

    public static string[] Words(Mail mail)
    {
        string subject = EncodedWord().Replace(mail.Subject, match => match.Groups[1].Value is "b" or "B"
            ? DecodeBase64(match.Groups[2].Value)
            : DecodeQuoted(match.Groups[2].Value.Replace('_', ' ')));
        (Dictionary<string, string> headers, string body) = Split(mail.Text);
        var text = new StringBuilder();
        Read(headers, body, text, 0);
        return [
            .. Tokens(ListName().Replace(subject, " ")).Select(word => "s:" + word), .. Tokens(WithoutFooter(text.ToString()))];
    }

    private static void Read(Dictionary<string, string> headers, string body, StringBuilder text, int depth)
    {
        string type = headers.GetValueOrDefault("content-type", "text/plain");
        Match boundary = Boundary().Match(type);
        if (type.StartsWith("multipart", StringComparison.OrdinalIgnoreCase) && boundary.Success && depth < MaxDepth)
        {
            string line = "--" + (boundary.Groups[1].Success ? boundary.Groups[1].Value : boundary.Groups[2].Value);
            foreach (string part in ("\n" + body).Split("\n" + line).Skip(1))
            {
                // What follows the last boundary, which ends in two hyphens, is no part.
                if (!part.StartsWith("--", StringComparison.Ordinal))
                {
                    (Dictionary<string, string> inner, string content) = Split(part.TrimStart(' ', '\t').TrimStart('\n'));
                    Read(inner, content, text, depth + 1);
                }
            }

            return;
        }

        if (!type.StartsWith("text", StringComparison.OrdinalIgnoreCase) && depth > 0)
        {
            return;
        }

        string decoded = headers.GetValueOrDefault("content-transfer-encoding", "").Trim().ToLowerInvariant() switch
        {
            "base64" => DecodeBase64(body),
            "quoted-printable" => DecodeQuoted(body),
            _ => body,
        };
        text.Append(decoded).Append('\n');
    }

    private static (Dictionary<string, string> Headers, string Body) Split(string text)
    {
        int end = text.IndexOf("\n\n", StringComparison.Ordinal);
        string head = end < 0 ? "" : text[..end];
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string line in Folded().Replace(head, " ").Split('\n'))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                headers.TryAdd(line[..colon].Trim(), line[(colon + 1)..].Trim());
            }
        }

        return (headers, end < 0 ? text : text[(end + 2)..]);
    }

    private static string WithoutFooter(string text)
    {
        Match[] lines = [.. Underscores().Matches(text).AsEnumerable()];
        int at = lines.FirstOrDefault(line => text.Length - line.Index < MaxFooter)?.Index ?? text.Length;
        return text[..at];
    }

    private static string DecodeBase64(string text)
    {
        string clean = NotBase64().Replace(text, "");
        clean = clean[..(clean.Length / 4 * 4)];
        var bytes = new byte[clean.Length / 4 * 3];
        return Convert.TryFromBase64String(clean, bytes, out int count) ? Encoding.Latin1.GetString(bytes, 0, count) : "";
    }

    private static string DecodeQuoted(string text) => Quoted().Replace(text, match => match.Groups[1].Success
        ? ((char)Convert.ToByte(match.Groups[1].Value, 16)).ToString()
        : "");

    private static IEnumerable<string> Tokens(string text)
    {
        string plain = WebUtility.HtmlDecode(Comment().Replace(text, ""));
        var tags = new HashSet<string>();
        foreach (Match match in Token().Matches(plain))
        {
            string tag = match.Groups["tag"].Value.ToLowerInvariant();
            if (tag.Length > 0 && !tags.Add(tag))
            {
                continue;
            }

            string word = match.Value.ToLowerInvariant(), capitals = match.Value.ToUpperInvariant();
            if (match.Groups["word"].Success && word.Length is > 3 and <= MaxWord && match.ValueSpan.SequenceEqual(capitals))
            {
                yield return "<capitals>";
            }

            yield return match.Groups["mail"].Success ? "<address>"
                : match.Groups["link"].Success ? "<link>"
                : tag.Length > 0 ? "<" + tag
                : match.Groups["number"].Success ? "<number>"
                : word.Length > MaxWord ? "<long>"
                : word;
        }
    }

    [GeneratedRegex(@"=\?[^?]*\?([bq])\?([^?]*)\?=", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex EncodedWord();

    [GeneratedRegex(@"\[[^\]]{1,40}\]", RegexOptions.CultureInvariant)]
    private static partial Regex ListName();

    [GeneratedRegex("boundary\\s*=\\s*(?:\"([^\"]+)\"|([^\\s;]+))", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Boundary();

    [GeneratedRegex(@"\n[ \t]+", RegexOptions.CultureInvariant)]
    private static partial Regex Folded();

    [GeneratedRegex(
        @"^_{20,}\s*$|^-{20,}\s*\nThis sf\.net email",
        RegexOptions.Multiline | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Underscores();

    [GeneratedRegex(@"[^A-Za-z0-9+/=]", RegexOptions.CultureInvariant)]
    private static partial Regex NotBase64();

    [GeneratedRegex(@"=([0-9A-Fa-f]{2})|=[ \t]*\n", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    [GeneratedRegex(
        @"<!--.*?-->|<style.*?</style>", RegexOptions.Singleline | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Comment();

    [GeneratedRegex(
        @"(?<mail>[\w.+-]+@[\w.-]+)|(?<link>(?:https?://|www\.)[^\s<>""]+)|</?(?<tag>[a-z]+\d?)[^<>]*>"
        + @"|(?<number>\d[\d.,:]*)|(?<word>[\p{L}']+)|[$!%?]",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}
