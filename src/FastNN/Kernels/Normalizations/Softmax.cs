using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface INormalizations
{
    /// <summary>
    /// y = softmax(x), or its logarithm, along the middle axis of [outer, axis, inner]; the maximum is subtracted first. x and y
    /// may be one tensor.
    /// </summary>
    void SoftmaxForward(Tensor x, Tensor y, int outer, int axis, int inner, bool logarithm);

    /// <summary>
    /// dX (=|+=) from y: y * (dY - sum(dY * y)), or dY - exp(y) * sum(dY) for the logarithm. dX and dY may be one tensor when not
    /// accumulating.
    /// </summary>
    void SoftmaxBackward(Tensor y, Tensor dY, Tensor dX, int outer, int axis, int inner, bool logarithm, bool accumulate);
}
