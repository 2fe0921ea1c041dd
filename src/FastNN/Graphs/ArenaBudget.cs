namespace FastNN.Graphs;

/// <summary>
/// How many bytes several arenas may hold together. Where one more does not fit, arenas that nothing runs in give way, and where
/// all are in use the call waits for one of them. Thread-safe; a call whose arena is there takes no part in it.
/// </summary>
/// <param name="limit">The most bytes; <see cref="long.MaxValue"/> for a budget that only counts.</param>
/// <param name="giveWay">Gives back an arena that nothing runs in; false where there is none.</param>
internal sealed class ArenaBudget(long limit, Func<bool> giveWay)
{
    // Waited on, which a Lock cannot be.
    private readonly object _gate = new();
    private long _held;
    private long _changes;
    private int _waiting;

    /// <summary>Bytes that are held now.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>Counts an arena about to be allocated, once there is room for it.</summary>
    /// <exception cref="InvalidOperationException">It is larger than the limit.</exception>
    public void Take(long bytes)
    {
        if (bytes > limit)
        {
            throw new InvalidOperationException($"ArenaBudget: expected at most {limit} bytes, got an arena of {bytes}.");
        }

        if (TryTake(bytes))
        {
            return;
        }

        // Counted as waiting before it looks for arenas in no use: one that falls idle behind that look is a change.
        Interlocked.Increment(ref _waiting);
        try
        {
            while (true)
            {
                long seen = Interlocked.Read(ref _changes);
                if (TryTake(bytes))
                {
                    return;
                }

                if (!giveWay())
                {
                    AwaitChange(seen);
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>An arena went back.</summary>
    public void Give(long bytes)
    {
        Interlocked.Add(ref _held, -bytes);
        Changed();
    }

    /// <summary>An arena fell idle, or went back: who waits looks again.</summary>
    public void Changed()
    {
        if (Volatile.Read(ref _waiting) > 0)
        {
            lock (_gate)
            {
                _changes++;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private void AwaitChange(long seen)
    {
        lock (_gate)
        {
            while (_changes == seen)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    private bool TryTake(long bytes)
    {
        lock (_gate)
        {
            if (Held > limit - bytes)
            {
                return false;
            }

            Interlocked.Add(ref _held, bytes);
            return true;
        }
    }
}
