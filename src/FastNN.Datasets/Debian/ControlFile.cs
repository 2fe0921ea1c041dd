using System.Text;

namespace FastNN.Data;

/// <summary>
/// Reads Debian's control files (Debian Policy Manual, chapter 5): stanzas of fields, with empty lines between.
/// </summary>
internal static class ControlFile
{
    private const int MaxLine = 1 << 20;
    private const int MaxFields = 256;

    /// <summary>The stanzas of a file, one after the other; a field's further lines keep their space in front.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="FileFormatException">A line is neither a field nor part of one, a field stands twice in a stanza, or
    /// something is too long.</exception>
    public static IEnumerable<Dictionary<string, string>> Read(TextReader text, string name)
    {
        var stanza = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var value = new StringBuilder();
        string? field = null;
        int number = 0;
        while (text.ReadLine() is { } line)
        {
            number++;
            if (line.AsSpan().IsWhiteSpace())
            {
                Finish();
                if (stanza.Count > 0)
                {
                    yield return stanza;
                    stanza = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                }

                continue;
            }

            if (line.Length + value.Length > MaxLine || stanza.Count > MaxFields)
            {
                throw new FileFormatException(
                    name, number, 1, $"at most {MaxFields} fields of {MaxLine} characters in a stanza", "more");
            }

            if (line[0] is ' ' or '\t')
            {
                if (field is null)
                {
                    throw new FileFormatException(name, number, 1, "a field before its further lines", line);
                }

                value.Append('\n').Append(line);
                continue;
            }

            Finish();
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            field = colon > 0 ? line[..colon] : throw new FileFormatException(name, number, 1, "a field and a colon", line);
            value.Append(line.AsSpan(colon + 1).Trim());
            if (stanza.ContainsKey(field))
            {
                throw new FileFormatException(name, number, 1, "each field once in a stanza", field);
            }
        }

        Finish();
        if (stanza.Count > 0)
        {
            yield return stanza;
        }

        void Finish()
        {
            if (field is not null)
            {
                stanza[field] = value.ToString();
                value.Clear();
                field = null;
            }
        }
    }

    /// <summary>
    /// The paragraphs of a description: its first line, then what lines with a dot alone separate. Lines are joined, but for
    /// those that the description says to show as they are.
    /// </summary>
    public static string[] Paragraphs(string description)
    {
        string[] lines = description.Split('\n');
        var paragraphs = new List<string> { lines[0].Trim() };
        var paragraph = new StringBuilder();
        foreach (string line in lines.Skip(1).Append(" ."))
        {
            string trimmed = line.Trim();
            if (trimmed == ".")
            {
                if (paragraph.Length > 0)
                {
                    paragraphs.Add(paragraph.ToString());
                    paragraph.Clear();
                }

                continue;
            }

            bool verbatim = line.Length > 1 && char.IsWhiteSpace(line[1]);
            paragraph.Append(paragraph.Length == 0 ? "" : verbatim ? "\n" : " ").Append(trimmed);
        }

        return [.. paragraphs];
    }

    /// <summary>The names in a field of relations such as <c>a (>= 1), b | c:any</c>, alternatives included.</summary>
    public static IEnumerable<string> Names(string relations)
    {
        const StringSplitOptions clean = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        foreach (string relation in relations.Split([',', '|'], clean))
        {
            int end = relation.AsSpan().IndexOfAny(" (:[<");
            yield return end < 0 ? relation : relation[..end];
        }
    }
}
