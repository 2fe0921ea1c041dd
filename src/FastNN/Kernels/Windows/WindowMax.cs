using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IWindows
{
    /// <summary>
    /// y = the maximum of each window, and its flat position (d H + h) W + w in the volume of its channel. The first of equal
    /// ones wins, NaN wins over numbers and over NaN before it (PyTorch).
    /// </summary>
    /// <param name="bands">The geometry, without weights.</param>
    /// <param name="x">[N, D, H, W, C].</param>
    /// <param name="table">Int32, what <see cref="BandTable"/> describes.</param>
    /// <param name="y">[N, OD, OH, OW, C].</param>
    /// <param name="indices">Int32, of y's shape.</param>
    void WindowMaxForward(in WindowBands bands, Tensor x, Tensor table, Tensor y, Tensor indices);

    /// <summary>dX (=|+=) the sum of dY over the windows whose maximum stands there, 0 elsewhere; each is written once.</summary>
    void WindowMaxBackward(in WindowBands bands, Tensor dY, Tensor table, Tensor indices, Tensor dX, bool accumulate);
}
