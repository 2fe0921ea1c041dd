using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Places of extremes: a warp to an output where its terms are neighbors, else a thread.</summary>
internal sealed unsafe partial class CudaReductions
{
    private const int WarpsPerBlock = 8;

    public void FirstEqual(Tensor x, Tensor extreme, Tensor y, int terms, int inner)
    {
        var arguments = new FirstEqualArguments(x.Address, extreme.Address, y.Address, y.Count, terms, inner);
        if (inner == 1)
        {
            Launch("argextreme", "first_equal_rows", new Grid(Blocks(y.Count, WarpsPerBlock), 32 * WarpsPerBlock), arguments);
        }
        else
        {
            Launch("argextreme", "first_equal_columns", new Grid(Blocks(y.Count, ElementThreads), ElementThreads), arguments);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FirstEqualArguments(nint X, nint Extreme, nint Y, long Outputs, int Terms, int Inner);
}
