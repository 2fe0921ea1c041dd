using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Rotations by positions, a thread per pair of a position.</summary>
internal sealed unsafe partial class CudaAttention
{
    private const int RotaryThreads = 256;

    public void Rotate(
        RotaryGeometry geometry, Tensor x, Tensor table, Tensor? positions, bool backwards, Tensor y, bool accumulate)
    {
        long pairs = x.Count / 2 / Math.Max(1, geometry.Inner);
        Launch(
            "rotary", "rotary_rotate", new Grid(Blocks(pairs, RotaryThreads), RotaryThreads),
            new RotaryArguments(
                x.Address, table.Address, AddressOf(positions), y.Address, pairs, geometry.Time, geometry.Inner,
                geometry.Width / 2, geometry.Rotated, geometry.Interleaved ? 1 : 0, geometry.Offset, geometry.PerExample,
                geometry.Positions, accumulate ? 1 : 0, backwards ? -1 : 1));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RotaryArguments(
        nint X, nint Table, nint Positions, nint Y, long Pairs, int Time, int Inner, int Half, int Rotated, int Interleaved,
        int Offset, int PerExample, int Count, int Accumulate, float Sign);
}
