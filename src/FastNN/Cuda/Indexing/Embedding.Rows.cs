using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Gradients of small tables, see kernels/embeddingrows.cu: one launch, with that of positions beside them.</summary>
internal sealed unsafe partial class CudaIndexing
{
    public bool EmbeddingBackwardAtOnce(
        Tensor indices, Tensor dY, int padding, Tensor dWeight, bool accumulate, Tensor dRepeated, bool accumulateRepeated)
    {
        if (!IsSmallTable(indices, dWeight) || dRepeated.Count == 0)
        {
            return false;
        }

        BackwardByRows(indices, dY, padding, dWeight, accumulate, dRepeated, accumulateRepeated);
        return true;
    }

    /// <summary>Whether all indices are fewer bytes, a table's row each, than what they look up.</summary>
    private static bool IsSmallTable(Tensor indices, Tensor dWeight) =>
        dWeight.Shape[0] <= indices.Count && dWeight.Shape[0] <= dWeight.Shape[1];

    /// <summary>Every row of the table is written, so that nothing has to clear it before.</summary>
    private void BackwardByRows(
        Tensor indices, Tensor dY, int padding, Tensor dWeight, bool accumulate, Tensor? dRepeated, bool accumulateRepeated)
    {
        (int rows, int width) = (dWeight.Shape[0], dWeight.Shape[1]);
        int rowBlocks = checked(rows * Blocks(width, ElementThreads));
        int repeatedBlocks = dRepeated is null ? 0 : Blocks(dRepeated.Count, ElementThreads);
        Launch(
            "embeddingrows", "embeddingrows_backward", new Grid(checked(rowBlocks + repeatedBlocks), ElementThreads),
            new EmbeddingRowsArguments(
                indices.Address, dY.Address, dWeight.Address, AddressOf(dRepeated), indices.Count, dRepeated?.Count ?? 0, width,
                padding, rowBlocks, indices.Type == DType.Int64 ? 1 : 0, accumulate ? 1 : 0, accumulateRepeated ? 1 : 0));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct EmbeddingRowsArguments(
        nint Indices, nint DY, nint DWeight, nint DRepeated, long Count, long Repeated, int Width, int Padding, int RowBlocks,
        int Wide, int Accumulate, int AccumulateRepeated);
}
