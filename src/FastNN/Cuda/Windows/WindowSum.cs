using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Weighted windows, see kernels/windowsum.cu.</summary>
internal sealed unsafe partial class CudaWindows
{
    public void WindowSum(in WindowBands bands, Tensor x, Tensor table, Tensor y, bool accumulate)
    {
        bool fours = bands.C % 4 == 0 && IsAligned(x.Address, y.Address);
        Launch(
            "windowsum", fours ? "windowsum_fours" : "windowsum", BandGrid(y.Count, fours ? 4 : 1),
            new WindowSumArguments(x.Address, table.Address, y.Address, new BandShape(bands, accumulate)));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct WindowSumArguments(nint X, nint Table, nint Y, BandShape Shape);
}
