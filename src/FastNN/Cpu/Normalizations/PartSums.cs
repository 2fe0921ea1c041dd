using System.Runtime.CompilerServices;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Parts of column sums, added in their order.</summary>
internal static unsafe class PartSums
{
    /// <summary>Columns of a task, a multiple of every width.</summary>
    private const int Chunk = 64;

    /// <summary>y (=|+=) the sum of parts of so many columns; nothing where y is null.</summary>
    public static void Add(WorkerPool pool, float* parts, int count, long stride, int columns, Tensor? y, bool accumulate)
    {
        if (y is null)
        {
            return;
        }

        float* to = (float*)y.Address;
        int chunks = (columns + Chunk - 1) / Chunk;
        if (accumulate)
        {
            RowLoop.Run(
                pool, chunks, (long)count * Chunk, new Chunks<Accumulate>(new(parts, count, (nint)stride, to), columns));
        }
        else
        {
            RowLoop.Run(pool, chunks, (long)count * Chunk, new Chunks<Assign>(new(parts, count, (nint)stride, to), columns));
        }
    }

    private readonly struct Chunks<TStore>(Columns<TStore> columns, int count) : IRowBody
        where TStore : struct, IStore
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes> =>
            ElementLoop.Range<TLanes, Columns<TStore>>(columns, start * Chunk, Math.Min(end * Chunk, count));
    }

    private readonly struct Columns<TStore>(float* parts, int count, nint stride, float* y) : IElementBody
        where TStore : struct, IStore
    {
        // Four sums take turns, so that additions do not wait for each other.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int lanes)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes a = TLanes.Broadcast(0f), b = a, c = a, d = a;
            for (nint part = 0; part < count; part++)
            {
                TLanes next = a + TLanes.Load(parts + (part * stride) + i, lanes);
                a = b;
                b = c;
                c = d;
                d = next;
            }

            TStore.Store(y + i, (a + b) + (c + d), lanes);
        }
    }
}
