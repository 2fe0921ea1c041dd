using System.Globalization;

namespace FastNN.Generate;

/// <summary>
/// Prints results as straight-line C++: equal expressions are computed once, under a name; what is used once stands where it is
/// used, as far as lines go.
/// </summary>
internal sealed class Printer
{
    /// <summary>The longest expression within another, and the longest on a line of its own.</summary>
    private const int LongestText = 90, LongestLine = 115;

    private readonly Dictionary<Expression, Entry> _entries = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, Entry> _distinct = [];
    private readonly List<string> _lines = [];
    private int _names;

    /// <summary>Statements that compute the values in their order, each value then put into a statement: "return {0};".</summary>
    public static IReadOnlyList<string> Print(params IEnumerable<(string Statement, CudaText Value)> results)
    {
        var printer = new Printer();
        (string Statement, Entry Value)[] values = [
            .. results.Select(result => (result.Statement, printer.Find(result.Value.Expression)))];
        foreach ((_, Entry value) in values)
        {
            value.Uses++;
        }

        foreach ((string statement, Entry value) in values)
        {
            string text = printer.Text(value, LongestLine);
            printer._lines.Add(string.Format(CultureInfo.InvariantCulture, statement, text));
        }

        return printer._lines;
    }

    /// <summary>
    /// The entry of an expression; equal ones have the same. An expression is visited once, its operands are told apart by their
    /// numbers.
    /// </summary>
    private Entry Find(Expression expression)
    {
        if (_entries.TryGetValue(expression, out Entry? entry))
        {
            return entry;
        }

        Entry[] operands = [.. expression.Operands.Select(Find)];
        string key = $"{expression.Pattern}|{string.Join(',', operands.Select(operand => operand.Number))}";
        if (!_distinct.TryGetValue(key, out entry))
        {
            entry = new Entry(expression, operands, _distinct.Count);
            _distinct.Add(key, entry);
            foreach (Entry operand in operands)
            {
                operand.Uses++;
            }
        }

        _entries.Add(expression, entry);
        return entry;
    }

    private string Text(Entry entry, int longest = LongestText)
    {
        if (entry.Name is not null)
        {
            return entry.Name;
        }

        Expression expression = entry.Expression;
        string[] operands = new string[entry.Operands.Length];
        for (int i = 0; i < operands.Length; i++)
        {
            string text = Text(entry.Operands[i]);
            bool bare = entry.Operands[i].Name is not null || entry.Operands[i].Expression.Binding >= expression.Needed[i];
            operands[i] = bare ? text : $"({text})";
        }

        string whole = operands.Length == 0
            ? expression.Pattern
            : string.Format(CultureInfo.InvariantCulture, expression.Pattern, operands);
        if (operands.Length > 0 && (entry.Uses > 1 || whole.Length > longest))
        {
            entry.Name = $"v{_names++}";
            _lines.Add($"float {entry.Name} = {whole};");
            return entry.Name;
        }

        return whole;
    }

    private sealed class Entry(Expression expression, Entry[] operands, int number)
    {
        public Expression Expression => expression;

        public Entry[] Operands => operands;

        public int Number => number;

        public int Uses { get; set; }

        /// <summary>Once it has a line of its own.</summary>
        public string? Name { get; set; }
    }
}
