using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Softmax and its logarithm along the middle axis of [outer, axis, inner]: which of the ways in kernels/softmax.cu.
/// </summary>
internal sealed unsafe partial class CudaNormalizations
{
    public void SoftmaxForward(Tensor x, Tensor y, int outer, int axis, int inner, bool logarithm) => LaunchSoftmax(
        forward: true, new(x.Address, 0, y.Address, outer, axis, inner, 0, logarithm ? 1 : 0, 0));

    public void SoftmaxBackward(Tensor y, Tensor dY, Tensor dX, int outer, int axis, int inner, bool logarithm,
        bool accumulate) => LaunchSoftmax(
        forward: false, new(y.Address, dY.Address, dX.Address, outer, axis, inner, 0, logarithm ? 1 : 0, accumulate ? 1 : 0));

    private void LaunchSoftmax(bool forward, SoftmaxArguments arguments)
    {
        (int axis, int inner, int outer) = (arguments.Axis, arguments.Inner, (int)arguments.Outer);
        long slab = (long)axis * inner;
        if (slab * outer == 0)
        {
            return;
        }

        int operands = forward ? 1 : 2;
        if (inner == 1 && axis > ShortRow)
        {
            int threads = RowThreads(axis);
            string kernel = (forward, threads > 0) switch
            {
                (true, true) => "softmax_forward_rows",
                (true, false) => "softmax_forward_long",
                (false, true) => "softmax_backward_rows",
                _ => "softmax_backward_long",
            };
            Launch("softmax", kernel, new Grid(outer, threads > 0 ? threads : 1024), arguments);
        }
        else if (slab <= TileFloats)
        {
            int slabs = RowsPerTile((int)slab, Math.Max(1, SlabThreads / inner));
            int shared = (int)(((slabs * slab) + 3) & ~3) * sizeof(float) * operands;
            string kernel = forward ? "softmax_forward_slabs" : "softmax_backward_slabs";
            Launch(
                "softmax", kernel, new Grid(Blocks(outer, slabs), SlabThreads, Shared: shared), arguments with { Slabs = slabs });
        }
        else
        {
            // Columns of one warp's width where that lets them stay in shared memory.
            int threads = axis <= TileFloats / 64 ? 64 : 32;
            bool kept = (long)axis * threads <= TileFloats;
            int shared = kept ? axis * threads * sizeof(float) * operands : 0;
            string kernel = forward ? "softmax_forward_columns" : "softmax_backward_columns";
            var grid = new Grid(Blocks((long)outer * inner, threads), threads, Shared: shared);
            Launch("softmax", kernel, grid, arguments with { Slabs = kept ? 1 : 0 });
        }
    }

    /// <summary>
    /// Threads of a block that keeps a row in registers, lanes shifted by up to seven (rows.cuh); 0 where it is too long.
    /// </summary>
    private static int RowThreads(int length) => length + 7 <= 256 * RowItems ? 256 : length + 7 <= 1024 * RowItems ? 1024 : 0;

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SoftmaxArguments(
        nint X, nint DY, nint Y, long Outer, int Axis, int Inner, int Slabs, int Logarithm, int Accumulate);
}
