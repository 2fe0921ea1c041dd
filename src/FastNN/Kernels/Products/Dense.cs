using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>Gradients of a dense layer, each null where none is wanted, each written (=) or added to (+=).</summary>
internal readonly record struct DenseGradients(
    Tensor? X, bool AccumulateX, Tensor? Weight, bool AccumulateWeight, Tensor? Bias, bool AccumulateBias);

internal partial interface IProducts
{
    /// <summary>y [M, N] = f(x [M, K] * weight [K, N] + bias [N]); leading axes of x and y are folded into M.</summary>
    void DenseForward(Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation);

    /// <summary>
    /// dWeight [K, N] (=|+=) x^T * dY, dBias [N] (=|+=) the column sums of dY [M, N], and last dX [M, K] (=|+=) dY * weight^T.
    /// </summary>
    void DenseBackward(Tensor x, Tensor weight, Tensor dY, in DenseGradients gradients);
}
