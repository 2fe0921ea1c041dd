using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Embedding: a block to some rows forward; backward the indices are sorted, so that each row is written once.</summary>
internal sealed unsafe partial class CudaIndexing
{
    /// <summary>Positions of a block both ways, indices that one block sorts, columns that a warp keeps backward.</summary>
    private const int EmbeddingRows = 32, SortedIndices = 4096, EmbeddingColumns = 1024;

    public void EmbeddingForward(Tensor indices, Tensor weight, Tensor y)
    {
        (int rows, int width) = (weight.Shape[0], weight.Shape[1]);
        if (y.Count == 0)
        {
            return;
        }

        int columns = Math.Min(width, TileFloats), perBlock = RowsPerTile(columns, EmbeddingRows);
        var grid = new Grid(
            checked(Blocks(indices.Count, perBlock) * Blocks(width, columns)), ElementThreads,
            Shared: perBlock * columns * sizeof(float));
        Launch(
            "embedding", "embedding_forward", grid,
            new EmbeddingArguments(
                indices.Address, weight.Address, y.Address, 0, indices.Count, 0, rows, width, -1, IsWide(indices), perBlock,
                columns, 0, 0));
    }

    public void EmbeddingBackward(Tensor indices, Tensor dY, int padding, Tensor dWeight, bool accumulate)
    {
        if (IsSmallTable(indices, dWeight))
        {
            BackwardByRows(indices, dY, padding, dWeight, accumulate, null, false);
            return;
        }

        (int rows, int width) = (dWeight.Shape[0], dWeight.Shape[1]);
        if (!accumulate)
        {
            Fill(dWeight, 0);
        }

        // The scratch memory holds the keys of so many indices at once; those behind them are added by further launches.
        const int most = (ScratchBytes - TicketBytes) / sizeof(ulong) / SortedIndices * SortedIndices;
        int columns = Math.Min(width, EmbeddingColumns);
        for (long start = 0; start < indices.Count && width > 0; start += most)
        {
            long count = Math.Min(indices.Count - start, most);
            var arguments = new EmbeddingArguments(
                indices.Address + (nint)(start * indices.Type.Size()), dY.Address + (nint)(start * width * sizeof(float)),
                dWeight.Address, Sums.Parts, count, 0, rows, width, padding, IsWide(indices), 0, columns, 0, 0);
            string kernel = count switch
            {
                <= ElementThreads => "embedding_sort_1",
                <= 4 * ElementThreads => "embedding_sort_4",
                _ => "embedding_sort_16",
            };
            Launch("embedding", kernel, new Grid(Blocks(count, SortedIndices), ElementThreads), arguments);
            for (long first = 0; first < count; first += SortedIndices)
            {
                int blocks = Blocks(Math.Min(count - first, SortedIndices), EmbeddingRows);
                var grid = new Grid(
                    checked(blocks * Blocks(width, columns)), ElementThreads,
                    Shared: ElementThreads / 32 * columns * sizeof(float));
                bool adds = accumulate || start + first > 0;
                Launch(
                    "embedding", "embedding_backward", grid,
                    arguments with { First = first, Accumulate = adds ? 1 : 0 });
            }
        }
    }

    private static int IsWide(Tensor indices) => indices.Type == DType.Int64 ? 1 : 0;

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct EmbeddingArguments(
        nint Indices, nint From, nint To, nint Keys, long Count, long First, int Rows, int Width, int Padding, int Wide,
        int PerBlock, int Columns, int Accumulate, int Unused);
}
