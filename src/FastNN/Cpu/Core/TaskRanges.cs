namespace FastNN.Cpu;

/// <summary>
/// The unclaimed tasks of a region. Each thread has a range of neighboring tasks, the same part of them in every region, and
/// takes them in order; once it has none left it takes the last ones of the others. So a thread works on what it read or wrote in
/// earlier regions, which lies in its own caches: on a machine whose cores share none, a core read 28 GB/s of what the other had
/// just written and 100 GB/s of its own.
/// </summary>
internal sealed class TaskRanges(int threads)
{
    /// <summary>Each range on a line of its own (two, as lines are fetched in pairs).</summary>
    private const int Stride = 128 / sizeof(long);

    // The first task in the lower half, the one behind the last in the upper: both change in one exchange.
    private readonly long[] _ranges = new long[(threads + 1) * Stride];
    private int _count;

    /// <summary>Gives out tasks 0 to <paramref name="tasks"/> - 1. Nobody may be claiming.</summary>
    public void Deal(int tasks)
    {
        _count = Math.Min(tasks, threads);
        for (int i = 0; i < _count; i++)
        {
            Range(i) = Pack((int)((long)tasks * i / _count), (int)((long)tasks * (i + 1) / _count));
        }
    }

    /// <summary>Takes all unclaimed tasks away.</summary>
    public void Clear()
    {
        for (int i = 0; i < _count; i++)
        {
            Volatile.Write(ref Range(i), 0);
        }
    }

    /// <summary>A task for this thread, or -1 where none is left.</summary>
    public int Claim(int thread)
    {
        for (int i = 0; i < _count; i++)
        {
            int owner = thread + i;
            owner = owner < _count ? owner : owner % _count;
            int task = Take(ref Range(owner), first: owner == thread);
            if (task >= 0)
            {
                return task;
            }
        }

        return -1;
    }

    private static int Take(ref long range, bool first)
    {
        long found = Volatile.Read(ref range);
        while (true)
        {
            (int start, int end) = ((int)found, (int)(found >> 32));
            if (start >= end)
            {
                return -1;
            }

            long rest = first ? Pack(start + 1, end) : Pack(start, end - 1);
            long seen = Interlocked.CompareExchange(ref range, rest, found);
            if (seen == found)
            {
                return first ? start : end - 1;
            }

            found = seen;
        }
    }

    private static long Pack(int start, int end) => ((long)end << 32) | (uint)start;

    private ref long Range(int thread) => ref _ranges[(thread + 1) * Stride];
}
