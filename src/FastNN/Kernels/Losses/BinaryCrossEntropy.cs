using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface ILosses
{
    /// <summary>
    /// loss = binary cross-entropy of x against targets in [0, 1]. From probabilities each logarithm is clamped at -100; from
    /// logits it is max(x, 0) - x t + log(1 + exp(-|x|)), with positiveWeight on the t term (PyTorch's BCELoss and
    /// BCEWithLogitsLoss). loss is [] or, unreduced, x's shape.
    /// </summary>
    /// <param name="weight">x's shape or null.</param>
    /// <param name="positiveWeight">[x's last extent] or null; logits only.</param>
    void BinaryCrossEntropyForward(bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor loss);

    /// <summary>dX (=|+=) dLoss ([] or x's shape) times the gradient of x.</summary>
    void BinaryCrossEntropyBackward(
        bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor dLoss, Tensor dX, bool accumulate);
}
