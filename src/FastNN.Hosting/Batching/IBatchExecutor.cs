namespace FastNN.Hosting;

/// <summary>Computes batches: a version of a model, as its queue sees it.</summary>
internal interface IBatchExecutor
{
    /// <summary>How many rows one batch may have at most; a call with more is refused.</summary>
    int MaxRows { get; }

    /// <summary>
    /// How many short batches it computes at once beyond <see cref="BatchingOptions.MaxConcurrency"/>, each on its caller's
    /// thread alone; 0 where there is nothing to gain.
    /// </summary>
    int ShortBatches => 0;

    /// <summary>
    /// Computes calls that all join one another, and leaves each one's outputs in it. Called by up to
    /// <see cref="BatchingOptions.MaxConcurrency"/> and <see cref="ShortBatches"/> threads at once, each with its own calls, and
    /// with no lock held. A call whose own data are at fault is marked with <see cref="QueuedCall.Fail"/>; the queue completes
    /// all of them when this returns. If it throws, none counts as computed: a batch of several calls is computed again call by
    /// call, so that one bad request never fails its batch, and a single call fails.
    /// </summary>
    /// <param name="batch">The calls.</param>
    /// <param name="isShort">Whether it takes so little time that further threads would cost more than they gain.</param>
    void Execute(ReadOnlySpan<QueuedCall> batch, bool isShort);
}
