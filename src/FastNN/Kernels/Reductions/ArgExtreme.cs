using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IReductions
{
    /// <summary>
    /// y [outer, inner] of Int64 = the first place along the middle axis of x [outer, terms, inner] where x equals extreme
    /// [outer, inner], or is NaN where that is.
    /// </summary>
    /// <param name="x">[outer, terms, inner].</param>
    /// <param name="extreme">[outer, inner]; occurs among its terms.</param>
    /// <param name="y">[outer, inner], Int64.</param>
    /// <param name="terms">At least 1.</param>
    /// <param name="inner">The product of the extents behind the axis.</param>
    void FirstEqual(Tensor x, Tensor extreme, Tensor y, int terms, int inner);
}
