using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IElements
{
    /// <summary>
    /// y = condition ? a : b with NumPy's broadcasting of all three; the condition is Bool, the others have one type.
    /// </summary>
    void WhereForward(Tensor condition, Tensor a, Tensor b, Tensor y);

    /// <summary>
    /// dX (=|+=) dY where the condition, which broadcasts to dY, equals <paramref name="when"/>, else 0. dX may be dY when not
    /// accumulating.
    /// </summary>
    void WhereBackward(Tensor condition, bool when, Tensor dY, Tensor dX, bool accumulate);
}
