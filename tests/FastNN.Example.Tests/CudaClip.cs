using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Clipping: 8 bytes per element forward, 12 or 16 backward.</summary>
internal sealed unsafe partial class CudaElements
{
    public void ClipForward(Tensor x, float low, float high, Tensor y) =>
        Launch("clip", "clip_forward", ElementGrid(x.Count), new ClipForwardArguments(x.Address, y.Address, x.Count, low, high));

    public void ClipBackward(Tensor x, float low, float high, Tensor dY, Tensor dX, bool accumulate) =>
        Launch(
            "clip", "clip_backward", ElementGrid(x.Count),
            new ClipBackwardArguments(x.Address, dY.Address, dX.Address, x.Count, low, high, accumulate ? 1 : 0, 0));

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ClipForwardArguments(nint X, nint Y, long Count, float Low, float High);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ClipBackwardArguments(
        nint X, nint DY, nint DX, long Count, float Low, float High, int Accumulate, int Unused);
}
