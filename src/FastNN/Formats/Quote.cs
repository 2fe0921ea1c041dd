using System.Buffers;
using System.Globalization;
using System.Text;

namespace FastNN.Formats;

/// <summary>
/// Puts text that a file decides into messages. Such text may neither break a line nor flood a log, and nothing in it may change
/// how a terminal or an editor shows the rest of the line.
/// </summary>
internal static class Quote
{
    // Control characters, line and paragraph separators, and the marks, embeddings, overrides and isolates that turn the
    // direction of writing.
    private static readonly SearchValues<char> Unprintable = SearchValues.Create(
    [
        .. Enumerable.Range(0, 0x20).Select(c => (char)c),
        .. Enumerable.Range(0x7F, 0x21).Select(c => (char)c),
        '\u061C', '\u200E', '\u200F', '\u2028', '\u2029', '\u202A', '\u202B', '\u202C', '\u202D', '\u202E', '\u2066', '\u2067',
        '\u2068', '\u2069', '\uFEFF',
    ]);

    /// <summary>The longest quotation, in characters.</summary>
    public const int Longest = 80;

    /// <summary>The text in one line: at most <paramref name="longest"/> characters, and three dots where it was cut.</summary>
    public static string Text(string text, int longest = Longest)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length <= longest && !text.AsSpan().ContainsAny(Unprintable) && !HasSurrogate(text))
        {
            return text;
        }

        var line = new StringBuilder(Math.Min(text.Length, 1024));
        foreach (char c in text)
        {
            if (line.Length >= longest)
            {
                line.Append("...");
                break;
            }

            if (char.IsSurrogate(c) || Unprintable.Contains(c))
            {
                line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
            else
            {
                line.Append(c);
            }
        }

        return line.ToString();
    }

    /// <summary>A shape such as <c>[32, 1, 3, 3]</c>, cut like other text.</summary>
    public static string Shape(ReadOnlySpan<int> shape)
    {
        // More sizes than these do not fit anyway.
        bool cut = shape.Length > Longest / 2;
        return Text($"[{string.Join(", ", shape[..(cut ? Longest / 2 : shape.Length)].ToArray())}{(cut ? ", ..." : "")}]");
    }

    private static bool HasSurrogate(string text) => text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');
}
