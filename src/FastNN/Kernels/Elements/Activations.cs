using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IElements
{
    /// <summary>y = f(x), a function of one number. x and y may be one tensor.</summary>
    void ActivationForward(Activation activation, Tensor x, Tensor y);

    /// <summary>
    /// dX (=|+=) dY * f'. <paramref name="xOrY"/> is the input x or the output y, as <see cref="Activation.Reads"/> says, or dY
    /// where f' needs neither. dX and dY may be one tensor when not accumulating.
    /// </summary>
    void ActivationBackward(Activation activation, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate);

    /// <summary>
    /// z = x + bias [n] over x [..., n], and y = f(z), for a function whose gradient reads its argument. z and x may be one
    /// tensor.
    /// </summary>
    void BiasActivationForward(Activation activation, Tensor x, Tensor bias, Tensor z, Tensor y);

    /// <summary>
    /// dX = dY f'(z), and dBias (=|+=) the column sums of that, unless it is null. dX and dY may be one tensor.
    /// </summary>
    void BiasActivationBackward(Activation activation, Tensor z, Tensor dY, Tensor dX, Tensor? dBias, bool accumulateBias);
}
