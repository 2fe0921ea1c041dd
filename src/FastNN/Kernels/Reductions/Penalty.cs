using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IReductions
{
    /// <summary>y [] = l1 * sum |x| + l2 * sum x^2 (Keras' L1L2).</summary>
    void PenaltyForward(Tensor x, float l1, float l2, Tensor y);

    /// <summary>dX (=|+=) dY [] * (l1 * sign(x) + 2 * l2 * x).</summary>
    void PenaltyBackward(Tensor x, float l1, float l2, Tensor dY, Tensor dX, bool accumulate);
}
