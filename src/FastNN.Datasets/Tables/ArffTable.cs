using System.Globalization;
using System.Text;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>
/// A table in Weka's format ARFF (Witten, Frank and Hall, 2011: Data mining), dense, with numbers, listed values and texts.
/// </summary>
internal sealed class ArffTable
{
    private const long MaxBytes = 1 << 28;

    private readonly List<string> _names = [];
    private readonly List<Kind> _kinds = [];
    private readonly List<HashSet<string>> _values = [];
    private readonly List<List<string?>> _cells = [];
    private readonly string _path;
    private int _line;

    private ArffTable(string path) => _path = path;

    private enum Kind
    {
        Number,
        Listed,
        Text,
    }

    /// <summary>The names of the columns.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The cells of each column, null where one is missing.</summary>
    public IReadOnlyList<string?[]> Columns => [.. _cells.Select(column => column.ToArray())];

    /// <summary>Reads a file.</summary>
    /// <exception cref="FileFormatException">It is malformed, sparse, or has dates or tables in cells.</exception>
    public static ArffTable Read(string path)
    {
        using FileStream file = InputFile.OpenRead(path);
        return Read(BoundedContent.Read(file, path, MaxBytes, file.Length), path);
    }

    internal static ArffTable Read(byte[] content, string path)
    {
        var table = new ArffTable(path);
        bool data = false;
        foreach (ReadOnlySpan<char> raw in Encoding.UTF8.GetString(content).AsSpan().EnumerateLines())
        {
            table._line++;
            ReadOnlySpan<char> line = raw.Trim();
            if (line.IsEmpty || line[0] == '%')
            {
                continue;
            }

            if (data)
            {
                table.ReadRow(line);
            }
            else
            {
                data = table.ReadDeclaration(line);
            }
        }

        return table._cells.Count > 0 && table._cells[0].Count > 0
            ? table
            : throw table.Fault(1, data ? "a row" : "@data with rows", "the end of the file");
    }

    private bool ReadDeclaration(ReadOnlySpan<char> line)
    {
        if (line.StartsWith("@relation", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        if (line.Equals("@data", StringComparison.OrdinalIgnoreCase))
        {
            return _names.Count > 0 ? true : throw Fault(1, "an @attribute before @data", "none");
        }

        const string attribute = "@attribute";
        if (!line.StartsWith(attribute, StringComparison.OrdinalIgnoreCase) || line.Length == attribute.Length
            || !char.IsWhiteSpace(line[attribute.Length]))
        {
            throw Fault(1, "@relation, @attribute or @data", line.ToString());
        }

        ReadOnlySpan<char> rest = line[attribute.Length..].TrimStart();
        string name = Token(ref rest, 2, " \t") ?? throw Fault(2, "the name of an attribute", "?");
        rest = rest.Trim();
        if (_names.Contains(name))
        {
            throw Fault(2, "attributes of different names", name);
        }

        _names.Add(name);
        _cells.Add([]);
        _values.Add(new HashSet<string>(StringComparer.Ordinal));
        _kinds.Add(ReadKind(rest));
        return false;
    }

    private Kind ReadKind(ReadOnlySpan<char> kind)
    {
        if (kind is ['{', .., '}'])
        {
            ReadOnlySpan<char> list = kind[1..^1].Trim();
            while (!list.IsEmpty)
            {
                _values[^1].Add(Token(ref list, 3, ",") ?? throw Fault(3, "a value in the list", "?"));
                list = Next(list, 3);
            }

            return Kind.Listed;
        }

        return kind.ToString().ToUpperInvariant() switch
        {
            "NUMERIC" or "REAL" or "INTEGER" => Kind.Number,
            "STRING" => Kind.Text,
            var other => throw Fault(3, "numeric, real, integer, string or values in braces", other),
        };
    }

    private void ReadRow(ReadOnlySpan<char> line)
    {
        if (line[0] == '{')
        {
            throw Fault(1, "a dense row", "a sparse one in braces");
        }

        for (int column = 0; column < _names.Count; column++)
        {
            if (line.IsEmpty)
            {
                throw Fault(column + 1, $"{_names.Count} cells in the row", $"{column}");
            }

            string? cell = Token(ref line, column + 1, ",");
            bool known = cell is null || _kinds[column] switch
            {
                Kind.Number => double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                    && double.IsFinite(value),
                Kind.Listed => _values[column].Contains(cell),
                _ => true,
            };
            if (!known)
            {
                throw Fault(
                    column + 1,
                    _kinds[column] == Kind.Number ? "a number" : $"one of the {_values[column].Count} values of {_names[column]}",
                    $"'{cell}'");
            }

            _cells[column].Add(cell);
            line = Next(line, column + 1);
        }

        if (!line.IsEmpty)
        {
            throw Fault(_names.Count + 1, $"{_names.Count} cells in the row", "more");
        }
    }

    /// <summary>Takes a word or a quoted text; null for a question mark, which stands for a missing cell.</summary>
    private string? Token(ref ReadOnlySpan<char> text, int column, ReadOnlySpan<char> ends)
    {
        if (!text.IsEmpty && text[0] is ('\'' or '"'))
        {
            return Quoted(ref text, column);
        }

        int end = text.IndexOfAny(ends);
        string word = text[..(end < 0 ? text.Length : end)].Trim().ToString();
        text = end < 0 ? [] : text[end..];
        return word.Length == 0 ? throw Fault(column, "a word or a quoted text", "nothing") : word == "?" ? null : word;
    }

    private string Quoted(ref ReadOnlySpan<char> text, int column)
    {
        var content = new StringBuilder();
        char quote = text[0];
        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == quote)
            {
                text = text[(i + 1)..];
                return content.ToString();
            }

            i += text[i] == '\\' && i + 1 < text.Length ? 1 : 0;
            content.Append(text[i]);
        }

        throw Fault(column, $"a closing {quote}", "the end of the line");
    }

    // Past the comma; a row or a list does not end with one.
    private ReadOnlySpan<char> Next(ReadOnlySpan<char> text, int column)
    {
        text = text.TrimStart();
        if (text.IsEmpty)
        {
            return text;
        }

        ReadOnlySpan<char> rest = text[1..].TrimStart();
        return text[0] == ',' && !rest.IsEmpty
            ? rest
            : throw Fault(column + 1, "a comma and another cell", text[0] == ',' ? "the end of the line" : text.ToString());
    }

    private FileFormatException Fault(int column, string expected, string got) =>
        new(_path, Math.Max(_line, 1), column, expected, got);
}
