using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IKernels
{
    /// <summary>y = f(x). x and y may be one tensor.</summary>
    /// <param name="slope">Of LeakyReLU for negative x.</param>
    void ActivationForward(Activation activation, float slope, Tensor x, Tensor y);

    /// <summary>
    /// dX (=|+=) dY * f'. <paramref name="xOrY"/> is the output y for those whose derivative it gives (ReLU, LeakyReLU with
    /// a positive slope, Sigmoid, Tanh: <see cref="ActivationTraits.DerivativeFromOutput"/>), else the input x.
    /// dX and dY may be one tensor when not accumulating.
    /// </summary>
    void ActivationBackward(Activation activation, float slope, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate);
}

internal static class ActivationTraits
{
    /// <summary>Whether f'(x) can be computed from f(x) alone, so that x need not be kept.</summary>
    public static bool DerivativeFromOutput(this Activation activation, float slope) => activation switch
    {
        Activation.ReLU or Activation.Sigmoid or Activation.Tanh or Activation.None => true,
        Activation.LeakyReLU => slope > 0,
        _ => false,
    };
}
