using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>The guard of a training step.</summary>
internal sealed unsafe partial class CudaUpdates
{
    public void GuardNorm(Tensor gradients, Tensor? loss, Tensor results, Tensor scalars) => Launch(
        "guard", "guard_norm", SumGrid(gradients.Count),
        new GuardNormArguments(
            gradients.Address, AddressOf(loss), results.Address, scalars.Address, Sums, gradients.Count,
            (int)(scalars.Count / UpdateScalars.Row)));

    public void GuardLargest(Tensor gradients, Tensor results) => Launch(
        "guard", "guard_largest", SumGrid(gradients.Count),
        new GuardLargestArguments(gradients.Address, results.Address, Sums, gradients.Count));

    public void GuardScale(Tensor gradients, Tensor options, Tensor results) => Launch(
        "guard", "guard_scale", ElementGrid(gradients.Count),
        new GuardScaleArguments(gradients.Address, options.Address, results.Address, gradients.Count));

    public void GuardCopy(Tensor x, Tensor y, Tensor results) => Launch(
        "guard", "guard_copy", ElementGrid(x.Count), new GuardCopyArguments(x.Address, y.Address, results.Address, x.Count));

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GuardNormArguments(
        nint Gradients, nint Loss, nint Results, nint Scalars, ScratchAddresses Scratch, long Count, int Groups);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GuardLargestArguments(nint Gradients, nint Results, ScratchAddresses Scratch, long Count);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GuardScaleArguments(nint Gradients, nint Options, nint Results, long Count);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GuardCopyArguments(nint X, nint Y, nint Results, long Count);
}
