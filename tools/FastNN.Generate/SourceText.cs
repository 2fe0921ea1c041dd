using System.Text;

namespace FastNN.Generate;

/// <summary>Lines of a file, indented in blocks.</summary>
internal sealed class SourceText
{
    private const int LongestLine = 130;

    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>The comment at the head of a generated file.</summary>
    public static string Origin => "// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.";

    public SourceText Line(string line = "")
    {
        if (line.Length > 0)
        {
            _text.Append(' ', 4 * _depth).Append(line);
        }

        _text.Append('\n');
        return this;
    }

    public SourceText Lines(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            Line(line);
        }

        return this;
    }

    /// <summary>A block in braces.</summary>
    public SourceText Block(string head, IEnumerable<string> body, string end = "}")
    {
        Line(head).Indent(() => Lines(body));
        return Line(end);
    }

    public SourceText Indent(Action body)
    {
        _depth++;
        body();
        _depth--;
        return this;
    }

    /// <summary>
    /// A C++ function of floats, on one line where it fits. Parameters that the body does not name have no name.
    /// </summary>
    public SourceText Function(string head, IEnumerable<(string Type, string Name)> parameters, IReadOnlyList<string> body)
    {
        string whole = string.Join('\n', body);
        IEnumerable<string> declared = parameters.Select(
            parameter => Names(whole, parameter.Name) ? $"{parameter.Type} {parameter.Name}" : parameter.Type);
        string opening = $"{head}({string.Join(", ", declared)}) {{";
        if (body.Count == 1 && (4 * _depth) + opening.Length + body[0].Length + 3 <= LongestLine)
        {
            return Line($"{opening} {body[0]} }}");
        }

        if ((4 * _depth) + opening.Length > LongestLine)
        {
            int end = opening.LastIndexOf(", ", LongestLine - (4 * _depth), StringComparison.Ordinal) + 1;
            return Line(opening[..end]).Block($"    {opening[(end + 1)..]}", body);
        }

        return Block(opening, body);
    }

    /// <summary>A comment over as many lines as it needs.</summary>
    public SourceText Comment(string words)
    {
        while (words.Length + 3 > LongestLine)
        {
            int end = words.LastIndexOf(' ', LongestLine - 3);
            Line($"// {words[..end]}");
            words = words[(end + 1)..];
        }

        return Line($"// {words}");
    }

    public override string ToString() => _text.ToString();

    /// <summary>Whether an identifier stands in a text.</summary>
    public static bool Names(string text, string name)
    {
        for (int i = text.IndexOf(name, StringComparison.Ordinal); i >= 0; i = text.IndexOf(
            name, i + 1, StringComparison.Ordinal))
        {
            bool begins = i == 0 || !IsPart(text[i - 1]), ends = i + name.Length == text.Length || !IsPart(text[i + name.Length]);
            if (begins && ends)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsPart(char c) => char.IsLetterOrDigit(c) || c == '_';
}
