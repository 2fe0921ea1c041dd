using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>A product of a sparse matrix [Rows, Columns] with a dense one [Columns, Width].</summary>
/// <param name="Block">Rows of a block of the sparse one: 1 or 4.</param>
/// <param name="Stored">Its blocks.</param>
internal sealed record SparseGeometry(int Rows, int Columns, int Width, int Block, int Stored)
{
    public int BlockRows => Rows / Block;
}

/// <summary>
/// Where the blocks of a sparse matrix lie, as Int32 tensors: row by row (where each row of blocks begins, and the column of each
/// block), and column by column (where each column begins, and the number and the row of each block).
/// </summary>
internal readonly record struct SparsePattern(
    Tensor RowStarts, Tensor Columns, Tensor ColumnStarts, Tensor Blocks, Tensor Rows);

internal partial interface IProducts
{
    /// <summary>y [Rows, Width] = S x [Columns, Width]; sums are in the order of the columns.</summary>
    void SparseForward(Tensor values, SparsePattern pattern, Tensor x, Tensor y, SparseGeometry geometry);

    /// <summary>dValues (=|+=) for each stored element the product of its rows of dY and x.</summary>
    void SparseBackwardValues(
        SparsePattern pattern, Tensor x, Tensor dY, Tensor dValues, SparseGeometry geometry, bool accumulate);

    /// <summary>dX [Columns, Width] (=|+=) S^T dY; sums are in the order of the rows.</summary>
    void SparseBackwardData(
        Tensor values, SparsePattern pattern, Tensor dY, Tensor dX, SparseGeometry geometry, bool accumulate);
}
