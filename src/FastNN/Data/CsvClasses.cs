using System.Globalization;

namespace FastNN.Data;

/// <summary>Gathers the cells of a class column and decides at the end what their indices are.</summary>
internal sealed class CsvClasses(IReadOnlyList<string>? known)
{
    private const int MostClasses = 1 << 16;

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [];
    private readonly List<int> _cells = [];

    public void Add(CsvScanner scanner)
    {
        if (scanner.Cell.IsEmpty)
            throw scanner.Fault("a class", "an empty cell");
        string text = scanner.Text.Trim();
        if (known is not null)
        {
            _cells.Add(Find(scanner, text, known));
            return;
        }

        if (!_numbers.TryGetValue(text, out int number))
        {
            if (_texts.Count == MostClasses)
                throw scanner.Fault($"at most {MostClasses} classes", "one more");
            number = _texts.Count;
            _numbers.Add(text, number);
            _texts.Add(text);
        }

        _cells.Add(number);
    }

    public (int[] Labels, int Classes, IReadOnlyList<string>? Names) Build()
    {
        if (known is not null)
            return ([.. _cells], known.Count, known);

        var index = new int[_texts.Count];
        int highest = -1;
        bool whole = true;
        for (int i = 0; i < index.Length && whole; i++)
        {
            whole = TryIndex(_texts[i], out index[i]);
            highest = Math.Max(highest, index[i]);
        }

        if (whole)
            return (Map(index), highest + 1, null);

        string[] names = [.. _texts];
        Array.Sort(names, StringComparer.Ordinal);
        for (int i = 0; i < index.Length; i++)
            index[i] = Array.BinarySearch(names, _texts[i], StringComparer.Ordinal);
        return (Map(index), names.Length, names);
    }

    private int[] Map(int[] index)
    {
        var labels = new int[_cells.Count];
        for (int i = 0; i < labels.Length; i++)
            labels[i] = index[_cells[i]];
        return labels;
    }

    private static int Find(CsvScanner scanner, string text, IReadOnlyList<string> known)
    {
        for (int i = 0; i < known.Count; i++)
        {
            if (known[i] == text)
                return i;
        }

        return TryIndex(text, out int index) && index < known.Count
            ? index
            : throw scanner.Fault($"one of the {known.Count} classes {string.Join(", ", known.Take(10))} or an index", $"'{text}'");
    }

    // Tables that passed through a data frame write classes as "1.0".
    private static bool TryIndex(string text, out int index)
    {
        bool whole = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && value >= 0 && value < MostClasses && value == Math.Floor(value);
        index = whole ? (int)value : 0;
        return whole;
    }
}
