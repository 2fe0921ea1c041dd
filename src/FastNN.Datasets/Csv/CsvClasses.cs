using System.Globalization;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>Gathers the cells of a class column and decides at the end what their indices are.</summary>
internal sealed class CsvClasses
{
    private const int MaxClasses = 1 << 16;

    private readonly IReadOnlyList<string>? _known;
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _numberOf;
    private readonly List<string> _texts = [];
    private readonly Pieces<int> _cells = new();

    public CsvClasses(IReadOnlyList<string>? known)
    {
        _known = known;
        _numberOf = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int i = 0; i < known?.Count; i++)
        {
            _numbers.TryAdd(known[i], i);
        }
    }

    public void Add(CsvRecords records, int column)
    {
        ReadOnlySpan<char> cell = records.Cell(column);
        if (cell.IsEmpty)
        {
            throw records.Fault(column, "a class", "an empty cell");
        }

        records.CheckUtf8(column, cell);
        cell = cell.Trim();
        if (!_numberOf.TryGetValue(cell, out int number))
        {
            number = _known is null ? AddClass(records, column, cell) : IndexOf(records, column, cell);
        }

        _cells.Add(number);
    }

    public (int[] Labels, int Classes, IReadOnlyList<string>? Names) Build()
    {
        int[] labels = _cells.ToArray();
        if (_known is not null)
        {
            return (labels, _known.Count, _known);
        }

        var index = new int[_texts.Count];
        int highest = -1;
        bool whole = true;
        for (int i = 0; i < index.Length && whole; i++)
        {
            whole = TryIndex(_texts[i], out index[i]);
            highest = Math.Max(highest, index[i]);
        }

        string[]? names = null;
        if (!whole)
        {
            names = [.. _texts];
            Array.Sort(names, StringComparer.Ordinal);
            for (int i = 0; i < index.Length; i++)
            {
                index[i] = Array.BinarySearch(names, _texts[i], StringComparer.Ordinal);
            }
        }

        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = index[labels[i]];
        }

        return (labels, names?.Length ?? highest + 1, names);
    }

    private int AddClass(CsvRecords records, int column, ReadOnlySpan<char> cell)
    {
        if (_texts.Count == MaxClasses)
        {
            throw records.Fault(column, $"at most {MaxClasses} classes", "one more");
        }

        string text = cell.ToString();
        _numbers.Add(text, _texts.Count);
        _texts.Add(text);
        return _texts.Count - 1;
    }

    private int IndexOf(CsvRecords records, int column, ReadOnlySpan<char> cell) =>
        TryIndex(cell, out int index) && index < _known!.Count
        ? index
        : throw records.Fault(
            column,
            $"one of the {_known!.Count} classes {Quote.Text(string.Join(", ", _known.Take(10).Select(known => Quote.Text(known))))} or an index",
            $"'{cell}'");

    // Tables that passed through a data frame write classes as "1.0".
    private static bool TryIndex(ReadOnlySpan<char> text, out int index)
    {
        bool whole = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && value >= 0 && value < MaxClasses && value == Math.Floor(value);
        index = whole ? (int)value : 0;
        return whole;
    }
}
