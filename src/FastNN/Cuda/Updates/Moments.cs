using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Sums of metrics: a block per column.</summary>
internal sealed unsafe partial class CudaUpdates
{
    public void AddMoments(Tensor x, int columns, Tensor sums, Tensor? results) => Launch(
        "moments", "moments_add", new Grid(columns, ElementThreads),
        new MomentsArguments(x.Address, sums.Address, AddressOf(results), x.Count / columns, columns, 0));

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct MomentsArguments(nint X, nint Sums, nint Results, long Rows, int Columns, int Unused);
}
