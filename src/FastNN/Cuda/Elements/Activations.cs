using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Functions of one number: y = f(x), 8 bytes per element; dX (=|+=) dY f', 12 or 16 bytes, 4 less where f' needs neither x nor
/// y.
/// </summary>
internal sealed unsafe partial class CudaElements
{
    public void ActivationForward(Activation activation, Tensor x, Tensor y) => Launch(
        "activations", activation.Function.ForwardKernel, ElementGrid(x.Count),
        new ActivationForwardArguments(x.Address, y.Address, x.Count, activation.Scalars));

    public void ActivationBackward(Activation activation, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate) => Launch(
        "activations", activation.Function.BackwardKernel, ElementGrid(dX.Count),
        new ActivationBackwardArguments(
            xOrY.Address, dY.Address, dX.Address, dX.Count, activation.Scalars, accumulate ? 1 : 0, 0));

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ActivationForwardArguments(nint X, nint Y, long Count, Scalars Scalars);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ActivationBackwardArguments(
        nint XOrY, nint DY, nint DX, long Count, Scalars Scalars, int Accumulate, int Unused);
}
