using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IIndexing
{
    /// <summary>
    /// Copies x into y's columns from <paramref name="offset"/> on, x [rows, width] and y [rows, total] after flattening around
    /// the axis.
    /// </summary>
    /// <param name="rows">Product of the extents before the axis.</param>
    /// <param name="width">x's extent of the axis times the extents behind it.</param>
    /// <param name="total">y's extent of the axis times the extents behind it.</param>
    /// <param name="offset">First column in y.</param>
    void ConcatForward(Tensor x, Tensor y, int rows, int width, int total, int offset);

    /// <summary>dX (=|+=) those columns of dY.</summary>
    void ConcatBackward(Tensor dY, Tensor dX, int rows, int width, int total, int offset, bool accumulate);
}
