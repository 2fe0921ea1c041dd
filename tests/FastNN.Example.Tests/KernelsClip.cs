using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IElements
{
    /// <summary>y = min(max(x, low), high). x and y may be one tensor.</summary>
    void ClipForward(Tensor x, float low, float high, Tensor y);

    /// <summary>dX (=|+=) dY where x lies in [low, high], else 0. dX and dY may be one tensor when not accumulating.</summary>
    void ClipBackward(Tensor x, float low, float high, Tensor dY, Tensor dX, bool accumulate);
}
