namespace FastNN.Functions;

/// <summary>A row of a table of functions: it knows its place there, and a function without a row is an error.</summary>
internal abstract class TableRow
{
    private int _id;

    /// <summary>Its place in its table, from 1 on.</summary>
    public int Id => _id != 0 || Table.Contains(this)
        ? _id
        : throw new InvalidOperationException($"The function {RowName} has no row in {nameof(FunctionTable)}.");

    /// <summary>What errors call it.</summary>
    private protected abstract string RowName { get; }

    /// <summary>The table that it must be in. (Asked for, it numbers its rows.)</summary>
    private protected abstract IEnumerable<TableRow> Table { get; }

    /// <summary>Gives rows their places.</summary>
    public static TRow[] Number<TRow>(TRow[] rows)
        where TRow : TableRow
    {
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i]._id = i + 1;
        }

        return rows;
    }
}
