namespace FastNN.Cpu;

/// <summary>What a loop over elements of any type does with a range of them.</summary>
internal interface IBlockBody
{
    /// <summary>Elements start to end - 1.</summary>
    void Invoke(nint start, nint end);
}

/// <summary>The loop over elements that are not vectors of floats: blocks of 16 K elements, shared by the workers.</summary>
internal static class BlockLoop
{
    public static void Run<TBody>(WorkerPool pool, long count, TBody body)
        where TBody : struct, IBlockBody
    {
        if (count <= ElementLoop.Serial || pool.Threads == 1)
        {
            body.Invoke(0, (nint)count);
            return;
        }

        var job = new Job<TBody>(body, count);
        pool.Run((int)((count + ElementLoop.Block - 1) / ElementLoop.Block), ref job);
    }

    private struct Job<TBody>(TBody body, long count) : IParallelBody
        where TBody : struct, IBlockBody
    {
        public readonly void Invoke(int task, int worker)
        {
            nint start = (nint)task * ElementLoop.Block;
            body.Invoke(start, (nint)Math.Min(start + ElementLoop.Block, count));
        }
    }
}
