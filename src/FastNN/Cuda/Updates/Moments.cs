using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Sums of metrics: blocks over columns and runs of rows, cut by the shape alone.</summary>
internal sealed unsafe partial class CudaUpdates
{
    /// <summary>Rows that a thread adds before there is another block, and blocks over the rows at most.</summary>
    private const int RowsPerThread = 32, MaxRowBlocks = 256;

    public void AddMoments(Tensor x, int columns, Tensor sums, Tensor? results)
    {
        long rows = x.Count / columns;
        int width = Math.Min(columns, ElementThreads), most = (ScratchBytes - TicketBytes) / (2 * sizeof(double));
        long wanted = Math.Clamp(rows / ((long)(ElementThreads / width) * RowsPerThread), 1, MaxRowBlocks);
        long perBlock = Math.Max(1, Blocks(rows, (int)Math.Clamp(most / columns, 1, wanted)));
        var grid = new Grid(Blocks(columns, width), ElementThreads, Math.Max(1, (int)((rows + perBlock - 1) / perBlock)));
        Launch(
            "moments", "moments_add", grid,
            new MomentsArguments(x.Address, sums.Address, AddressOf(results), Sums, rows, perBlock, columns, width));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct MomentsArguments(
        nint X, nint Sums, nint Results, ScratchAddresses Scratch, long Rows, long RowsPerBlock, int Columns, int Width);
}
