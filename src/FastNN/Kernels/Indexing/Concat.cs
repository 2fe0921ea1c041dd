using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IIndexing
{
    /// <summary>
    /// Puts x side by side: each x [rows, width] into y's columns behind those of the ones before it, y [rows, all widths], after
    /// flattening around the axis.
    /// </summary>
    /// <param name="widths">Each x's extent of the axis times the extents behind it.</param>
    /// <param name="rows">Product of the extents before the axis.</param>
    void ConcatForward(ReadOnlySpan<Tensor> x, ReadOnlySpan<int> widths, Tensor y, int rows);

    /// <summary>
    /// Each dX (=|+=) its columns of dY, the last first: where one value is joined with itself, its last place writes the
    /// gradient and the others add.
    /// </summary>
    /// <param name="dX">Null where no gradient is wanted.</param>
    /// <param name="widths">As in <see cref="ConcatForward"/>.</param>
    /// <param name="rows">As in <see cref="ConcatForward"/>.</param>
    void ConcatBackward(
        Tensor dY, ReadOnlySpan<Tensor?> dX, ReadOnlySpan<int> widths, int rows, ReadOnlySpan<bool> accumulate);
}
