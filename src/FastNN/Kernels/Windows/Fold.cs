using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IWindows
{
    /// <summary>
    /// columns [N, OH * OW, KH * KW * C] (=|+=) the windows of images [N, H, W, C], 0 where they lie outside. The geometry is
    /// that of a convolution with KH * KW * C filters.
    /// </summary>
    void Unfold(in Conv2DGeometry geometry, Tensor images, Tensor columns, bool accumulate);

    /// <summary>images [N, H, W, C] (=|+=) for each pixel the sum of its places in the windows.</summary>
    void Fold(in Conv2DGeometry geometry, Tensor columns, Tensor images, bool accumulate);
}
