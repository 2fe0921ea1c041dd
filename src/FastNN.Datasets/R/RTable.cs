using System.Globalization;

namespace FastNN.Data;

/// <summary>A table of R ("data frame"): columns with names and one length.</summary>
internal sealed class RTable
{
    private readonly RValue[] _columns;
    private readonly string _name;

    private RTable(RValue[] columns, string[] names, int rows, string name) =>
        (_columns, Names, Rows, _name) = (columns, names, rows, name);

    /// <summary>The names of the columns.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>Looks at a value as a table.</summary>
    /// <exception cref="FileFormatException">It is none.</exception>
    public static RTable From(RValue value, string name)
    {
        string?[]? names = value.Texts("names");
        if (value is not RList { Count: > 0 } list || !value.Is("data.frame") || names?.Length != list.Count
            || names.Contains(null))
        {
            throw new FileFormatException(name, 0, "a table (data frame) with named columns", value.Kind);
        }

        int rows = list.Values[0].Count;
        RValue? odd = Array.Find(list.Values, column => column.Count != rows || column is not (RIntegers or RNumbers or RText));
        return odd is null
            ? new RTable(list.Values, names!, rows, name)
            : throw new FileFormatException(name, 0, $"columns of {rows} numbers or texts", $"one of {odd.Count} {odd.Kind}");
    }

    /// <summary>A column of numbers.</summary>
    /// <exception cref="FileFormatException">There is none of this name, or it holds no numbers.</exception>
    public double[] Numbers(string column) => Find(column) switch
    {
        RNumbers numbers => numbers.Values,
        RIntegers whole when !whole.Is("factor") => Array.ConvertAll(
            whole.Values, value => value == RIntegers.Missing ? double.NaN : value),
        var other => throw new FileFormatException(_name, 0, $"numbers in column '{column}'", other.Kind),
    };

    /// <summary>A column as texts: those that it holds, the level of a factor, or numbers as they are read back; null where a
    /// cell is missing.</summary>
    /// <exception cref="FileFormatException">There is none of this name, or a factor has a code without a level.</exception>
    public string?[] Cells(string column) => Find(column) switch
    {
        RText texts => texts.Values,
        RIntegers factor when factor.Is("factor") => Levels(column, factor),
        _ => Array.ConvertAll(
            Numbers(column), value => double.IsNaN(value) ? null : value.ToString("R", CultureInfo.InvariantCulture)),
    };

    private string?[] Levels(string column, RIntegers factor)
    {
        string?[] levels = factor.Texts("levels") ?? [];
        return Array.ConvertAll(factor.Values, code => code == RIntegers.Missing ? null : code >= 1 && code <= levels.Length
            ? levels[code - 1]
            : throw new FileFormatException(_name, 0, $"codes from 1 to {levels.Length} in factor '{column}'", $"{code}"));
    }

    private RValue Find(string column)
    {
        int at = Names.ToList().IndexOf(column);
        return at >= 0 ? _columns[at] : throw new FileFormatException(_name, 0, $"a column '{column}'", string.Join(", ", Names));
    }
}
