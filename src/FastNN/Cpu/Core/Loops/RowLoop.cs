namespace FastNN.Cpu;

/// <summary>What a loop over rows does with some of them.</summary>
internal interface IRowBody
{
    /// <summary>Rows start to end - 1.</summary>
    void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>;
}

/// <summary>The loop over rows that are computed whole, such as those of a softmax: about 16 K elements per task.</summary>
internal static class RowLoop
{
    /// <summary>Rows per task for rows of this length.</summary>
    public static int RowsPerTask(long rowLength) => (int)Math.Max(1, ElementLoop.Block / Math.Max(1, rowLength));

    /// <summary>Runs the body over rows 0 to rows - 1; by one thread up to <paramref name="serial"/> elements.</summary>
    public static void Run<TBody>(WorkerPool pool, int rows, long rowLength, TBody body, long serial = ElementLoop.Serial)
        where TBody : struct, IRowBody
    {
        int step = RowsPerTask(rowLength);
        var job = new Job<TBody>(body, rows, step);
        if (rows * rowLength <= serial || pool.Threads == 1 || rows <= step)
        {
            job.Run(0, rows);
        }
        else
        {
            pool.Run((int)(((long)rows + step - 1) / step), ref job);
        }
    }

    private struct Job<TBody>(TBody body, int rows, int step) : IParallelBody
        where TBody : struct, IRowBody
    {
        public readonly void Invoke(int task, int worker)
        {
            int start = task * step;
            Run(start, Math.Min((nint)start + step, rows));
        }

        public readonly void Run(nint start, nint end)
        {
            var action = new RangeAction<TBody>(body, start, end);
            Simd.Dispatch(ref action);
        }
    }

    private struct RangeAction<TBody>(TBody body, nint start, nint end) : ILanesAction
        where TBody : struct, IRowBody
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> => body.Invoke<TLanes>(start, end);
    }
}
