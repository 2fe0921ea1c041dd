using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>One term of a sum for a few neighboring elements.</summary>
internal interface ITermBody
{
    /// <summary>The terms of elements i to i + count - 1; what stands in further lanes does not matter.</summary>
    TLanes Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>;
}

/// <summary>
/// The one loop of sums over elements. Rounding grows with the logarithm of the length rather than with the length: four
/// vectors of float sums over 2048 elements at a time (32 additions per lane at 16 lanes), those added pairwise, and doubles
/// from there on. Blocks have a size that depends on the length alone and are added in order, so any number of threads gives
/// the same bits.
/// </summary>
internal static class SumLoop
{
    private const int Chunk = 2048;
    private const int MaxBlocks = 256;

    /// <summary>The sum of the terms of elements 0 to count - 1.</summary>
    public static double Run<TBody>(WorkerPool pool, long count, TBody body)
        where TBody : struct, ITermBody
    {
        long block = BlockOf(count);
        if (count <= block)
        {
            return Range(body, 0, (nint)count);
        }

        int blocks = (int)((count + block - 1) / block);
        Partials sums = default;
        var job = new Job<TBody>(body, count, block, ref sums);
        if (count <= ElementLoop.Serial || pool.Threads == 1)
        {
            for (int i = 0; i < blocks; i++)
            {
                job.Invoke(i, 0);
            }
        }
        else
        {
            pool.Run(blocks, ref job);
        }

        return sums.Total(blocks);
    }

    /// <summary>The sum of the terms of elements start to end - 1 on this thread.</summary>
    public static double Range<TBody>(TBody body, nint start, nint end)
        where TBody : struct, ITermBody
    {
        var action = new RangeAction<TBody>(body, start, end);
        Simd.Dispatch(ref action);
        return action.Sum;
    }

    /// <summary>The loop at one width; the body by reference as in <see cref="ElementLoop"/>.</summary>
    [MethodImpl(KernelCode.Loop)]
    public static double Range<TLanes, TBody>(in TBody given, nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
        where TBody : struct, ITermBody
    {
        TBody body = given;
        double total = 0;
        for (nint chunk = start; chunk < end; chunk += Chunk)
        {
            total += SumChunk<TLanes, TBody>(body, given, chunk, Math.Min(chunk + Chunk, end));
        }

        return total;
    }

    // The four sums take turns, so that additions do not wait for each other and the body is inlined but once: the JIT
    // inlines so much per method and no more. The copy of the body is for the loop alone: what a reference goes to elsewhere
    // does not stay in registers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SumChunk<TLanes, TBody>(TBody body, in TBody given, nint i, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
        where TBody : struct, ITermBody
    {
        TLanes a = TLanes.Broadcast(0), b = a, c = a, d = a;
        for (; i <= end - TLanes.Count; i += TLanes.Count)
        {
            TLanes next = a + body.Invoke<TLanes>(i, TLanes.Count);
            a = b;
            b = c;
            c = d;
            d = next;
        }

        float sum = TLanes.Sum((a + b) + (c + d));
        return i < end ? sum + Tail<TLanes, TBody>(given, i, (int)(end - i)) : sum;
    }

    [MethodImpl(KernelCode.Loop)]
    private static float Tail<TLanes, TBody>(in TBody body, nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
        where TBody : struct, ITermBody => TLanes.Sum(TLanes.KeepFirst(body.Invoke<TLanes>(i, count), count, 0));

    private static long BlockOf(long count)
    {
        long even = (count + MaxBlocks - 1) / MaxBlocks;
        return Math.Max(ElementLoop.Block, (even + Chunk - 1) / Chunk * Chunk);
    }

    /// <summary>One number per block, on the stack of the caller.</summary>
    [InlineArray(MaxBlocks)]
    private struct Partials
    {
        private double _first;

        public readonly double Total(int blocks)
        {
            double total = 0;
            for (int i = 0; i < blocks; i++)
            {
                total += this[i];
            }

            return total;
        }
    }

    private readonly unsafe struct Job<TBody>(TBody body, long count, long block, ref Partials sums) : IParallelBody
        where TBody : struct, ITermBody
    {
        private readonly double* _sums = (double*)Unsafe.AsPointer(ref sums);

        public void Invoke(int task, int worker)
        {
            nint start = (nint)(task * block);
            _sums[task] = Range(body, start, (nint)Math.Min(start + block, count));
        }
    }

    private struct RangeAction<TBody>(TBody body, nint start, nint end) : ILanesAction
        where TBody : struct, ITermBody
    {
        public double Sum { get; private set; }

        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> => Sum = Range<TLanes, TBody>(body, start, end);
    }
}
