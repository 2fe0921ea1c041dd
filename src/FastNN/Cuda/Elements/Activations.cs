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

    public void BiasActivationForward(Activation activation, Tensor x, Tensor bias, Tensor z, Tensor y)
    {
        int n = bias.Shape[0];
        ColumnWalk walk = WalkColumns(x.Count, n, IsAligned(x.Address, z.Address, y.Address), FinishSteps(n));
        Launch(
            "biasactivation", BiasActivationKernels(activation).Forward,
            new Grid(checked(walk.Blocks * walk.Parts), ColumnThreads),
            new BiasActivationForwardArguments(x.Address, bias.Address, z.Address, y.Address, walk, activation.Scalars));
    }

    public void BiasActivationBackward(
        Activation activation, Tensor z, Tensor dY, Tensor dX, Tensor? dBias, bool accumulateBias)
    {
        // The function takes longer than the sums: columns are shared by more blocks, a column to a thread where there are many.
        int n = z.Shape[-1];
        ColumnWalk walk = n >= ColumnThreads
            ? new ColumnWalk(z.Count, n, n, PerThread: 1, StepsPerBlock: 32)
            : WalkColumns(z.Count, n, IsAligned(z.Address, dY.Address, dX.Address), stepsPerBlock: 8);
        ColumnSumArguments sums = SumOfColumns(walk, z.Address, AddressOf(dBias), accumulateBias);
        Launch(
            "biasactivation", BiasActivationKernels(activation).Backward,
            new Grid(checked(sums.Blocks * sums.Walk.Parts), ColumnThreads),
            new BiasActivationBackwardArguments(sums, dY.Address, dX.Address, activation.Scalars));
    }

    private static (string Forward, string Backward) BiasActivationKernels(Activation activation) =>
        activation == Activation.Gelu ? ("biasactivation_forward_gelu", "biasactivation_backward_gelu")
        : activation == Activation.GeluTanh ? ("biasactivation_forward_gelutanh", "biasactivation_backward_gelutanh")
        : activation == Activation.SiLU ? ("biasactivation_forward_silu", "biasactivation_backward_silu")
        : throw new NotSupportedException($"BiasActivation: expected GELU or SiLU, got {activation.Name}.");

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct BiasActivationForwardArguments(
        nint X, nint Bias, nint Z, nint Y, ColumnWalk Walk, Scalars Scalars);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct BiasActivationBackwardArguments(
        ColumnSumArguments Sums, nint DY, nint DX, Scalars Scalars);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ActivationForwardArguments(nint X, nint Y, long Count, Scalars Scalars);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ActivationBackwardArguments(
        nint XOrY, nint DY, nint DX, long Count, Scalars Scalars, int Accumulate, int Unused);
}
