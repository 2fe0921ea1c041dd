using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Embedding: a thread per element forward, a block per index backward.</summary>
internal sealed unsafe partial class CudaIndexing
{
    public void EmbeddingForward(Tensor indices, Tensor weight, Tensor y)
    {
        (int rows, int width) = (weight.Shape[0], weight.Shape[1]);
        Launch(
            "embedding", "embedding_forward", new Grid(Blocks(y.Count, ElementThreads), ElementThreads),
            new EmbeddingArguments(
                indices.Address, weight.Address, y.Address, indices.Count, rows, width, -1, indices.Type == DType.Int64 ? 1 : 0));
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

        Launch(
            "embedding", "embedding_backward",
            new Grid(checked((int)(indices.Count * Blocks(width, ElementThreads))), ElementThreads),
            new EmbeddingArguments(
                indices.Address, dY.Address, dWeight.Address, indices.Count, rows, width, padding,
                indices.Type == DType.Int64 ? 1 : 0));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct EmbeddingArguments(
        nint Indices, nint From, nint To, long Count, int Rows, int Width, int Padding, int Wide);
}
