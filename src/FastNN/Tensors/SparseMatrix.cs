namespace FastNN;

/// <summary>
/// A matrix of which few elements are stored, row by row: single ones (CSR, as PyTorch's sparse_csr_tensor), or blocks of four
/// rows by one column, whose products read a row of the other operand once for four results. Immutable.
/// </summary>
public sealed class SparseMatrix
{
    private readonly int[] _rowStarts;
    private readonly int[] _columnIndices;
    private readonly float[] _values;

    private SparseMatrix(int rows, int columns, int[] rowStarts, int[] columnIndices, float[] values, int blockRows)
    {
        (Rows, Columns, BlockRows) = (rows, columns, blockRows);
        (_rowStarts, _columnIndices, _values) = (rowStarts, columnIndices, values);
    }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>The number of columns.</summary>
    public int Columns { get; }

    /// <summary>Rows of a block: 1 or 4.</summary>
    public int BlockRows { get; }

    /// <summary>The number of blocks that are stored; of elements where blocks have one.</summary>
    public int StoredBlocks => _columnIndices.Length;

    /// <summary>For each row of blocks the number of its first block; the number of all is the last.</summary>
    public ReadOnlySpan<int> RowStarts => _rowStarts;

    /// <summary>The column of each block; they rise along a row.</summary>
    public ReadOnlySpan<int> ColumnIndices => _columnIndices;

    /// <summary>The elements, block by block.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>Stores the elements of a dense matrix whose magnitude exceeds a threshold, or the blocks that have one.</summary>
    /// <param name="values">Row by row.</param>
    /// <param name="rows">A multiple of <paramref name="blockRows"/>.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="threshold">Not negative; default 0: what is not zero is stored. NaN always is.</param>
    /// <param name="blockRows">1 (default) or 4.</param>
    /// <returns>The matrix.</returns>
    /// <exception cref="ArgumentException">The sizes do not fit, or the threshold is negative or NaN.</exception>
    public static SparseMatrix FromDense(
        ReadOnlySpan<float> values, int rows, int columns, float threshold = 0, int blockRows = 1)
    {
        RequireSizes(rows, columns, blockRows);
        if (values.Length != (long)rows * columns)
        {
            throw new ArgumentException(
                $"SparseMatrix: expected {(long)rows * columns} values for {rows} rows of {columns}, got {values.Length}.",
                nameof(values));
        }

        if (!(threshold >= 0))
        {
            throw new ArgumentException($"SparseMatrix: expected a threshold of at least 0, got {threshold}.", nameof(threshold));
        }

        var starts = new int[(rows / blockRows) + 1];
        var indices = new List<int>();
        var stored = new List<float>();
        for (int row = 0; row < rows; row += blockRows)
        {
            for (int column = 0; column < columns; column++)
            {
                bool isStored = false;
                for (int i = 0; i < blockRows; i++)
                {
                    isStored |= !(MathF.Abs(values[((row + i) * columns) + column]) <= threshold);
                }

                for (int i = 0; isStored && i < blockRows; i++)
                {
                    stored.Add(values[((row + i) * columns) + column]);
                }

                if (isStored)
                {
                    indices.Add(column);
                }
            }

            starts[(row / blockRows) + 1] = indices.Count;
        }

        return new SparseMatrix(rows, columns, starts, [.. indices], [.. stored], blockRows);
    }

    /// <summary>A matrix from its arrays, which are checked and copied.</summary>
    /// <param name="rows">A multiple of <paramref name="blockRows"/>.</param>
    /// <param name="columns">The number of columns.</param>
    /// <param name="rowStarts">For each row of blocks the number of its first block, then the number of all.</param>
    /// <param name="columnIndices">The column of each block, rising along each row.</param>
    /// <param name="values">The elements, block by block.</param>
    /// <param name="blockRows">1 (default) or 4.</param>
    /// <returns>The matrix.</returns>
    /// <exception cref="ArgumentException">The arrays do not describe such a matrix; the message says where.</exception>
    public static SparseMatrix FromCsr(
        int rows, int columns, ReadOnlySpan<int> rowStarts, ReadOnlySpan<int> columnIndices, ReadOnlySpan<float> values,
        int blockRows = 1)
    {
        RequireSizes(rows, columns, blockRows);
        int count = rows / blockRows;
        if (rowStarts.Length != count + 1 || rowStarts[0] != 0 || rowStarts[^1] != columnIndices.Length
            || values.Length != (long)columnIndices.Length * blockRows)
        {
            throw new ArgumentException(
                $"SparseMatrix: expected {count + 1} row starts from 0 to the number of blocks and {blockRows} values for each block, got {rowStarts.Length} starts, {columnIndices.Length} blocks and {values.Length} values.");
        }

        for (int row = 0; row < count; row++)
        {
            if (rowStarts[row + 1] < rowStarts[row] || rowStarts[row + 1] > columnIndices.Length)
            {
                throw new ArgumentException(
                    $"SparseMatrix: expected row starts that rise to {columnIndices.Length}, got {rowStarts[row]} and {rowStarts[row + 1]} at {row}.",
                    nameof(rowStarts));
            }

            for (int i = rowStarts[row]; i < rowStarts[row + 1]; i++)
            {
                if ((uint)columnIndices[i] >= (uint)columns || (i > rowStarts[row] && columnIndices[i] <= columnIndices[i - 1]))
                {
                    throw new ArgumentException(
                        $"SparseMatrix: expected columns 0 to {columns - 1} that rise along row {row}, got {columnIndices[i]} as block {i}.",
                        nameof(columnIndices));
                }
            }
        }

        return new SparseMatrix(rows, columns, rowStarts.ToArray(), columnIndices.ToArray(), values.ToArray(), blockRows);
    }

    /// <summary>All elements, row by row.</summary>
    /// <returns>Rows times columns numbers.</returns>
    public float[] ToDense()
    {
        var dense = new float[checked(Rows * Columns)];
        for (int row = 0; row < _rowStarts.Length - 1; row++)
        {
            for (int block = _rowStarts[row]; block < _rowStarts[row + 1]; block++)
            {
                for (int i = 0; i < BlockRows; i++)
                {
                    dense[(((row * BlockRows) + i) * Columns) + _columnIndices[block]] = _values[(block * BlockRows) + i];
                }
            }
        }

        return dense;
    }

    /// <summary>The blocks column by column: where each column's begin, their numbers, and their rows of blocks.</summary>
    internal (int[] Starts, int[] Blocks, int[] Rows) ByColumns()
    {
        var starts = new int[Columns + 1];
        foreach (int column in _columnIndices)
        {
            starts[column + 1]++;
        }

        for (int column = 0; column < Columns; column++)
        {
            starts[column + 1] += starts[column];
        }

        int[] next = starts.ToArray(), blocks = new int[StoredBlocks], rows = new int[StoredBlocks];
        for (int row = 0; row < _rowStarts.Length - 1; row++)
        {
            for (int block = _rowStarts[row]; block < _rowStarts[row + 1]; block++)
            {
                int place = next[_columnIndices[block]]++;
                (blocks[place], rows[place]) = (block, row);
            }
        }

        return (starts, blocks, rows);
    }

    /// <summary>The matrix' size and how much of it is stored.</summary>
    public override string ToString() => $"SparseMatrix [{Rows}, {Columns}] with {StoredBlocks} blocks of {BlockRows}x1";

    private static void RequireSizes(int rows, int columns, int blockRows)
    {
        if (blockRows is not (1 or 4))
        {
            throw new ArgumentException($"SparseMatrix: expected blocks of 1 or 4 rows, got {blockRows}.", nameof(blockRows));
        }

        if (rows < 0 || columns < 0 || rows % blockRows != 0)
        {
            throw new ArgumentException(
                $"SparseMatrix: expected rows in a multiple of {blockRows} and columns, none negative, got {rows} and {columns}.",
                nameof(rows));
        }
    }
}
