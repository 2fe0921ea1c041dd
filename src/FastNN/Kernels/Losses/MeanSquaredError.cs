using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface ILosses
{
    /// <summary>loss = (x - target)^2, reduced to [] or in x's shape.</summary>
    void MeanSquaredErrorForward(Reduction reduction, Tensor x, Tensor targets, Tensor loss);

    /// <summary>dX (=|+=) dLoss * 2 (x - target), divided by the count for the mean.</summary>
    void MeanSquaredErrorBackward(Reduction reduction, Tensor x, Tensor targets, Tensor dLoss, Tensor dX, bool accumulate);
}
