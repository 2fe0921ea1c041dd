using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>What a cross-entropy loss is given.</summary>
internal enum CrossEntropyInput
{
    /// <summary>Logits: softmax is part of the loss.</summary>
    Logits,

    /// <summary>Logarithms of probabilities (PyTorch's NLLLoss).</summary>
    LogProbabilities,

    /// <summary>Probabilities, clipped to [1e-7, 1 - 1e-7] (Keras' from_logits=False, without renormalizing).</summary>
    Probabilities,
}

/// <summary>Options of a cross-entropy loss; the class axis is the last.</summary>
/// <param name="Input">Logits, log-probabilities or probabilities.</param>
/// <param name="Reduction">Mean divides by the sum of the targets' class weights over the examples that count (class-index
/// targets) or by the number of examples (probability targets), as PyTorch does.</param>
/// <param name="LabelSmoothing">Share spread evenly over all classes, 0 to 1; logits only.</param>
/// <param name="IgnoreIndex">Class-index targets equal to this do not count.</param>
internal readonly record struct CrossEntropyOptions(
    CrossEntropyInput Input, Reduction Reduction, float LabelSmoothing = 0, int IgnoreIndex = -100);

internal partial interface ILosses
{
    /// <summary>
    /// loss = the cross-entropy of x [rows, classes] against targets: Int32 [rows] class indices, or Float32 [rows, classes]
    /// probabilities. loss is [] or, unreduced, [rows]. saved [rows * classes + rows + 1] floats receives what backward needs:
    /// softmax(x) for logits, per-row losses, and the divisor of the mean; the layout is the device's own.
    /// </summary>
    /// <param name="classWeights">[classes] or null.</param>
    void CrossEntropyForward(
        in CrossEntropyOptions options, Tensor x, Tensor targets, Tensor? classWeights, Tensor loss, Tensor saved);

    /// <summary>dX (=|+=) dLoss ([] or [rows]) times the gradient of x.</summary>
    void CrossEntropyBackward(
        in CrossEntropyOptions options, Tensor x, Tensor targets, Tensor? classWeights, Tensor saved, Tensor dLoss, Tensor dX,
        bool accumulate);
}
