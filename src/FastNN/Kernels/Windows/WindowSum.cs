using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IWindows
{
    /// <summary>
    /// y (=|+=) for each output the sum over its window of x times the product of the three axes' weights. The backward pass is
    /// the same sum over <see cref="WindowBands.Transposed"/>.
    /// </summary>
    /// <param name="bands">The geometry.</param>
    /// <param name="x">[N, D, H, W, C].</param>
    /// <param name="table">Int32, what <see cref="BandTable"/> describes.</param>
    /// <param name="y">[N, OD, OH, OW, C].</param>
    /// <param name="accumulate">Add.</param>
    void WindowSum(in WindowBands bands, Tensor x, Tensor table, Tensor y, bool accumulate);
}
