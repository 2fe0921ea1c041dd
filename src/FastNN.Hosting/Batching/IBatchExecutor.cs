namespace FastNN.Hosting;

/// <summary>Computes batches: a version of a model, as its queue sees it.</summary>
internal interface IBatchExecutor
{
    /// <summary>How many rows one batch may have at most; a call with more is refused.</summary>
    int MaxRows { get; }

    /// <summary>
    /// Computes calls that all join one another, and leaves each one's outputs in it. Called by up to
    /// <see cref="BatchingOptions.MaxConcurrency"/> threads at once, each with its own calls, and with no lock held. A call
    /// whose own data are at fault is marked with <see cref="QueuedCall.Fail"/>; the queue completes all of them when this
    /// returns. If it throws, none counts as computed: a batch of several calls is computed again call by call, so that one bad
    /// request never fails its batch, and a single call fails.
    /// </summary>
    void Execute(ReadOnlySpan<QueuedCall> batch);
}
