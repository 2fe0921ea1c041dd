using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IProducts
{
    /// <summary>y [M, N] = f(x [M, K] * weight [K, N] + bias [N]); leading axes of x and y are folded into M.</summary>
    void DenseForward(Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation);

    /// <summary>dX [M, K] (=|+=) dY [M, N] * weight^T.</summary>
    void DenseBackwardData(Tensor dY, Tensor weight, Tensor dX, bool accumulate);

    /// <summary>dWeight [K, N] (=|+=) x^T * dY, and dBias [N] (=|+=) the column sums of dY. Either may be absent.</summary>
    void DenseBackwardWeight(Tensor x, Tensor dY, Tensor? dWeight, Tensor? dBias, bool accumulateWeight, bool accumulateBias);
}
