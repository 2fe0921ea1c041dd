using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Padding: a thread per element that is written, as wide as blocks of elements that stay together allow.</summary>
internal sealed unsafe partial class CudaIndexing
{
    public void PadForward(Tensor x, Tensor y, in PadGeometry geometry, ulong constant)
    {
        int size = y.Type.Size();
        ulong pattern = constant;
        for (int bytes = size; bytes < sizeof(ulong); bytes *= 2)
        {
            // Elements of 8 bytes, or of 4 where they stay 4: the low bytes alone count there.
            pattern |= pattern << (8 * bytes);
        }

        string kernel = size switch
        {
            1 => "pad_1",
            2 => "pad_2",
            4 => "pad_4",
            _ => "pad_8",
        };
        Pad(kernel, "pad_16", x, y, geometry, pattern, size, accumulate: false);
    }

    public void PadBackward(Tensor dY, Tensor dX, in PadGeometry geometry, bool accumulate) =>
        Pad("pad_backward_4", "pad_backward_16", dY, dX, geometry, 0, sizeof(float), accumulate);

    private void Pad(
        string kernel, string wideKernel, Tensor from, Tensor to, PadGeometry geometry, ulong pattern, int size, bool accumulate)
    {
        int factor = 16 / size;
        bool wide = geometry.Block % factor == 0 && ((from.Address | to.Address) & 15) == 0;
        geometry.Block /= wide ? factor : 1;
        int count = Tensor.Index(to.Count / (wide ? factor : 1));
        Launch(
            "pad", wide ? wideKernel : kernel, new Grid(Blocks(count, RearrangeThreads), RearrangeThreads),
            new PadArguments(from.Address, to.Address, pattern, geometry, count, accumulate ? 1 : 0));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct PadArguments(nint from, nint to, ulong constant, in PadGeometry geometry, int count, int accumulate)
    {
        public readonly nint From = from, To = to;
        public readonly ulong Constant = constant;
        public readonly PadGeometry Geometry = geometry;
        public readonly int Count = count, Accumulate = accumulate, Unused = 0;
    }
}
