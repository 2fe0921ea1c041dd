using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Maxima of windows with their positions, see kernels/windowmax.cu.</summary>
internal sealed unsafe partial class CudaWindows
{
    public void WindowMaxForward(in WindowBands bands, Tensor x, Tensor table, Tensor y, Tensor indices) => Launch(
        "windowmax", "windowmax_forward", BandGrid(y.Count, 1),
        new WindowMaxArguments(
            x.Address, table.Address, y.Address, indices.Address, new BandShape(bands, accumulate: false)));

    public void WindowMaxBackward(in WindowBands bands, Tensor dY, Tensor table, Tensor indices, Tensor dX, bool accumulate) =>
        Launch(
            "windowmax", "windowmax_backward", BandGrid(dX.Count, 1),
            new WindowMaxArguments(
                dY.Address, table.Address, indices.Address, dX.Address, new BandShape(bands.Transposed, accumulate)));

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct WindowMaxArguments(nint From, nint Table, nint Second, nint Third, BandShape Shape);
}
