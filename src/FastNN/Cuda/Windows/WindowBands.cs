using System.Runtime.InteropServices;
using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary>Windows given by bands, see kernels/bands.cuh.</summary>
internal sealed unsafe partial class CudaWindows
{
    private const int BandThreads = 256;

    private static Grid BandGrid(long count, int channels) => new(Blocks(count, channels * BandThreads), BandThreads);

    /// <summary>One axis of kernels/bands.cuh, forward; the backward pass takes that of the transposed bands.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct BandAxisArguments(BandAxis axis)
    {
        private readonly int _reads = axis.Input;
        private readonly int _table = axis.Forward.Offset;
        private readonly int _taps = axis.Forward.Taps;
        private readonly int _step = axis.Step;
        private readonly Divisor _byTaken = new(axis.Output);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct BandShape(in WindowBands bands, bool accumulate)
    {
        private readonly BandAxisArguments _d = new(bands.Depth);
        private readonly BandAxisArguments _h = new(bands.Vertical);
        private readonly BandAxisArguments _w = new(bands.Horizontal);
        private readonly Divisor _byC = new(bands.C);
        private readonly int _c = bands.C;
        private readonly int _count = (int)bands.OutputShape.Count;
        private readonly int _accumulate = accumulate ? 1 : 0;
        private readonly int _unused;
    }
}
