using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Optimizer updates: one launch over the flat tensors of the whole network.</summary>
internal sealed unsafe partial class CudaUpdates
{
    public void Update(UpdateFunction update, Tensor scalars, Tensor parameters, Tensor gradients, ReadOnlySpan<Tensor> states) =>
        Launch(
        "optimizer", update.Kernel, ElementGrid(parameters.Count),
        new UpdateArguments(
            scalars.Address, parameters.Address, gradients.Address, AddressOf(states, 0), AddressOf(states, 1),
            AddressOf(states, 2), parameters.Count));

    private static nint AddressOf(ReadOnlySpan<Tensor> tensors, int index) => index < tensors.Length ? tensors[index].Address : 0;

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct UpdateArguments(
        nint Scalars, nint Parameters, nint Gradients, nint First, nint Second, nint Third, long Count);
}
