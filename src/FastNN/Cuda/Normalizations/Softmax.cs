using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Softmax and its logarithm along the middle axis of [outer, axis, inner]: which of the ways in kernels/softmax.cu.
/// </summary>
internal sealed unsafe partial class CudaNormalizations
{
    /// <summary>
    /// Of blocks of columns (kernels/softmax.cu): threads, rows of a thread, those whose terms are in shared memory backward.
    /// </summary>
    private const int SoftmaxThreads = 768, ColumnItems = 40, KeptItems = 32;

    /// <summary>Threads of a block whose threads walk along a column each.</summary>
    private const int WalkThreads = 64;

    public void SoftmaxForward(Tensor x, Tensor y, int outer, int axis, int inner, bool logarithm) => LaunchSoftmax(
        forward: true, new(x.Address, 0, y.Address, outer, axis, inner, 0, logarithm ? 1 : 0, 0, 0, 0, 0));

    public void SoftmaxBackward(Tensor y, Tensor dY, Tensor dX, int outer, int axis, int inner, bool logarithm,
        bool accumulate) => LaunchSoftmax(
        forward: false, new(
            y.Address, dY.Address, dX.Address, outer, axis, inner, 0, logarithm ? 1 : 0, accumulate ? 1 : 0, 0, 0, 0));

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
            LaunchColumns(forward, arguments);
        }
    }

    /// <summary>
    /// Columns in the registers of blocks that are as wide as lets them hold a whole column; a thread to a longer one. Rows that
    /// begin within sectors have up to seven lanes without a column.
    /// </summary>
    private void LaunchColumns(bool forward, SoftmaxArguments arguments)
    {
        (int axis, int inner) = (arguments.Axis, arguments.Inner);
        bool shifts = inner % 8 != 0 || ((arguments.X | arguments.DY | arguments.Y) & 31) != 0;
        int needed = inner + (shifts ? MostShift : 0), across = 0;
        foreach (int width in shifts ? (ReadOnlySpan<int>)[96, 64, 32] : [96, 64, 32, 16, 8])
        {
            // As wide as a column's rows allow, but not beyond what there are columns for. Kernels count a slab's elements in 32
            // bits.
            bool fits = axis <= SoftmaxThreads / width * ColumnItems && (long)axis * inner <= int.MaxValue;
            across = fits && (across == 0 || width >= needed) ? width : across;
        }

        if (across == 0)
        {
            var walk = new Grid(Blocks(arguments.Outer * inner, WalkThreads), WalkThreads);
            Launch("softmax", forward ? "softmax_forward_walk" : "softmax_backward_walk", walk, arguments);
            return;
        }

        int columns = across - (shifts ? MostShift : 0);
        int items = Math.Min(KeptItems, Blocks(axis, SoftmaxThreads / across));
        var grid = new Grid(
            checked((int)arguments.Outer * Blocks(inner, columns)), SoftmaxThreads,
            Shared: forward ? 0 : items * SoftmaxThreads * sizeof(float));
        Launch(
            "softmax", forward ? "softmax_forward_columns" : "softmax_backward_columns", grid,
            arguments with { Across = across, Width = columns });
    }

    /// <summary>
    /// Threads of a block that keeps a row in registers, lanes shifted by up to seven (rows.cuh); 0 where it is too long.
    /// </summary>
    private static int RowThreads(int length) => length + 7 <= 256 * RowItems ? 256 : length + 7 <= 1024 * RowItems ? 1024 : 0;

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SoftmaxArguments(
        nint X, nint DY, nint Y, long Outer, int Axis, int Inner, int Slabs, int Logarithm, int Accumulate, int Across, int Width,
        int Unused);
}
