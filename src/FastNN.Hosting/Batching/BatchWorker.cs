namespace FastNN.Hosting;

/// <summary>
/// One batch at a time, and the right to compute it on some thread: there are <see cref="BatchingOptions.MaxConcurrency"/> of
/// them, and <see cref="IBatchExecutor.ShortBatches"/> for batches that are short.
/// </summary>
internal sealed class BatchWorker(BatchQueue queue, int maxCalls) : IThreadPoolWorkItem
{
    private readonly QueuedCall[] _calls = new QueuedCall[maxCalls];

    /// <summary>When the batch was formed.</summary>
    public long Started;

    /// <summary>Whether it is computed by one thread.</summary>
    public bool IsShort;

    /// <summary>The calls of the batch.</summary>
    public int Count { get; private set; }

    /// <summary>Their rows; 0 while idle.</summary>
    public int Rows { get; private set; }

    public ReadOnlySpan<QueuedCall> Calls => _calls.AsSpan(0, Count);

    public void Add(QueuedCall call)
    {
        _calls[Count++] = call;
        Rows += call.Place.Rows;
    }

    public void Clear()
    {
        Array.Clear(_calls, 0, Count);
        (Count, Rows) = (0, 0);
    }

    /// <summary>On a thread of the pool: batch after batch, until none is to be computed.</summary>
    void IThreadPoolWorkItem.Execute() => queue.Work(this);
}
