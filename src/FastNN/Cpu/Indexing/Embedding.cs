using System.Runtime.CompilerServices;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Embedding: rows copied, 8 bytes moved per element; gradients are added by the rows of the table, a range of them to a task.
/// </summary>
internal sealed unsafe partial class CpuIndexing
{
    public void EmbeddingForward(Tensor indices, Tensor weight, Tensor y)
    {
        (int rows, int width) = (weight.Shape[0], weight.Shape[1]);
        var table = new IndexList(indices);
        for (nint i = 0; i < (nint)indices.Count; i++)
        {
            if ((ulong)table[i] >= (ulong)rows)
            {
                throw new InvalidDatasetException($"Embedding: index {table[i]} at position {i} is out of range 0..{rows - 1}.");
            }
        }

        RowLoop.Run(Pool, Tensor.Index(indices.Count), width, new LookUp(table, Floats(weight), Floats(y), width));
    }

    public void EmbeddingBackward(Tensor indices, Tensor dY, int padding, Tensor dWeight, bool accumulate)
    {
        (int rows, int width) = (dWeight.Shape[0], dWeight.Shape[1]);
        if (!accumulate)
        {
            Fill(dWeight, 0);
        }

        // Each task reads all indices, so there are few; which task a row belongs to does not change the order of its sum.
        int tasks = dY.Count <= ElementLoop.Serial ? 1 : Math.Min(Threads, rows);
        RowLoop.Run(
            Pool, tasks, dY.Count / tasks,
            new AddGradients(new IndexList(indices), Floats(dY), padding, Floats(dWeight), indices.Count, rows, width, tasks));
    }

    public bool EmbeddingBackwardAtOnce(
        Tensor indices, Tensor dY, int padding, Tensor dWeight, bool accumulate, Tensor dRepeated, bool accumulateRepeated) =>
        false;

    /// <summary>Indices of either type.</summary>
    private readonly struct IndexList(Tensor indices)
    {
        private readonly nint _address = indices.Address;
        private readonly bool _wide = indices.Type == DType.Int64;

        public long this[nint i]
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => _wide ? ((long*)_address)[i] : ((int*)_address)[i];
        }
    }

    private readonly struct LookUp(IndexList indices, float* weight, float* y, int width) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint i = start; i < end; i++)
            {
                // A row of 2^30 floats has more bytes than an unsigned integer of 32 bits counts.
                long bytes = (long)width * sizeof(float);
                Buffer.MemoryCopy(weight + ((nint)indices[i] * width), y + (i * width), bytes, bytes);
            }
        }
    }

    private readonly struct AddGradients(
        IndexList indices, float* dY, int padding, float* dWeight, long count, int rows, int width, int tasks) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            long first = (long)rows * start / tasks, last = (long)rows * end / tasks;
            for (nint i = 0; i < (nint)count; i++)
            {
                long row = indices[i];
                if (row >= first && row < last && row != padding)
                {
                    ElementLoop.Range<TLanes, UnaryMap<Identity,
                    Accumulate>>(new(dY + (i * width), dWeight + ((nint)row * width), default), 0, width);
                }
            }
        }
    }
}
