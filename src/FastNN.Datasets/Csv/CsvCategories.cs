using FastNN.Formats;

namespace FastNN.Data;

/// <summary>The categories of one column: those given, or those found, which are put in ordinal order at the end.</summary>
internal sealed class CsvCategories
{
    /// <summary>The index of what is in no category.</summary>
    public const int Unknown = -1;

    private readonly string _column;
    private readonly bool _isOpen;
    private readonly bool _hasOther;
    private readonly List<string> _texts = [];
    private readonly Dictionary<string, int> _indices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _indexOf;

    /// <param name="column">The column's name.</param>
    /// <param name="known">Its categories, or null for those found.</param>
    /// <param name="hasOther">Whether what is in none of them gets a column of its own.</param>
    /// <exception cref="ArgumentException">A category is given twice, or none is.</exception>
    public CsvCategories(string column, IReadOnlyList<string>? known, bool hasOther)
    {
        (_column, _isOpen, _hasOther) = (column, known is null, hasOther);
        _indexOf = _indices.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (string text in known ?? [])
        {
            if (text is null || !_indices.TryAdd(text, _texts.Count))
            {
                throw new ArgumentException(
                    $"expected different categories for column '{Quote.Text(column)}', got '{Quote.Text(text ?? "null")}' twice or null", nameof(known));
            }

            _texts.Add(text);
        }

        if (known?.Count == 0)
        {
            throw new ArgumentException(
                $"expected at least one category for column '{Quote.Text(column)}', got none", nameof(known));
        }
    }

    /// <summary>Columns that it becomes.</summary>
    public int Width => _texts.Count + (_hasOther ? 1 : 0);

    /// <summary>The names of these columns.</summary>
    public IEnumerable<string> Names =>
        Ordered().Select(text => $"{_column}={text}").Concat(_hasOther ? [$"{_column}=(other)"] : []);

    /// <summary>The index of a cell's category, in the order of their coming.</summary>
    /// <exception cref="FileFormatException">It is empty or not listed, and there is no column for others; or there are too
    /// many.</exception>
    public int Read(CsvRecords records, int column)
    {
        ReadOnlySpan<char> cell = records.Cell(column);
        records.CheckUtf8(column, cell);
        cell = cell.Trim();
        if (_indexOf.TryGetValue(cell, out int index))
        {
            return index;
        }

        if (cell.IsEmpty || !_isOpen)
        {
            return _hasOther ? Unknown : throw records.Fault(
                column,
                _isOpen
                    ? "a category"
                    : $"one of the {_texts.Count} categories {Quote.Text(string.Join(", ", _texts.Take(10).Select(text => Quote.Text(text))))}",
                cell.IsEmpty ? "an empty cell" : $"'{cell}'");
        }

        if (_texts.Count == CsvLimits.MaxColumns)
        {
            throw records.Fault(column, $"at most {CsvLimits.MaxColumns} categories", "one more");
        }

        string text = cell.ToString();
        _indices.Add(text, _texts.Count);
        _texts.Add(text);
        return _texts.Count - 1;
    }

    /// <summary>Which of its columns each index, and last <see cref="Unknown"/>, is marked in.</summary>
    public int[] Places()
    {
        string[] ordered = Ordered();
        var places = new int[_texts.Count + 1];
        for (int i = 0; i < ordered.Length; i++)
        {
            places[_indices[ordered[i]]] = i;
        }

        places[^1] = ordered.Length;
        return places;
    }

    private string[] Ordered()
    {
        string[] texts = [.. _texts];
        if (_isOpen)
        {
            Array.Sort(texts, StringComparer.Ordinal);
        }

        return texts;
    }
}
