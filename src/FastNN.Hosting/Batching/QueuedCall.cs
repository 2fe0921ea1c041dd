using System.Threading.Tasks.Sources;

namespace FastNN.Hosting;

/// <summary>
/// A call as a <see cref="BatchQueue"/> handles it. From pools: one object is run any number of times, one after another.
/// </summary>
internal abstract class QueuedCall : ModelCall, IValueTaskSource
{
    // Not on the thread that completes it, which has the next batch to compute.
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private TimeSpan _queueTime;
    private TimeSpan _computeTime;
    private int _batchSize;

    /// <summary>
    /// How many rows of a batch the call takes, at least 1: the first extent of its inputs; 1 where the model has no batch
    /// axis.
    /// </summary>
    public abstract int Rows { get; }

    /// <summary>
    /// Whether both may be in one batch: the same version of a model, and the same shapes but for the first extent.
    /// </summary>
    public abstract bool Joins(QueuedCall other);

    /// <inheritdoc/>
    public sealed override int Priority { get; set; }

    /// <inheritdoc/>
    public sealed override long Deadline { get; set; }

    /// <inheritdoc/>
    public sealed override TimeSpan QueueTime => _queueTime;

    /// <inheritdoc/>
    public sealed override TimeSpan ComputeTime => _computeTime;

    /// <inheritdoc/>
    public sealed override int BatchSize => _batchSize;

    /// <summary>Why the call fails; null while it does not.</summary>
    internal Exception? Failure { get; private set; }

    /// <summary>Whether the call has been queued and is not completed: nothing of it may be touched.</summary>
    protected bool IsUnderWay { get; private set; }

    /// <summary>The queue's notes on the call while it is under way.</summary>
    internal QueuePlace Place { get; } = new();

    /// <summary>
    /// Marks the call as failed, for <see cref="IBatchExecutor.Execute"/>: the queue completes it so when the batch is done.
    /// </summary>
    internal void Fail(Exception failure) => Failure = failure;

    /// <summary>For the queue: the batch is computed again.</summary>
    internal void ForgetFailure() => Failure = null;

    /// <summary>For <see cref="ModelCall.RunAsync"/>: computes the call at once or lets it wait.</summary>
    protected ValueTask RunIn(BatchQueue queue, CancellationToken cancellationToken)
    {
        if (IsUnderWay)
        {
            throw new InvalidOperationException("The call is under way already; await it before it is run again.");
        }

        _source.Reset();
        (Failure, IsUnderWay) = (null, true);
        (_queueTime, _computeTime, _batchSize) = (default, default, 0);
        queue.Enqueue(this, cancellationToken);
        return new ValueTask(this, _source.Version);
    }

    /// <summary>
    /// Called once per run, before its caller goes on, on whatever thread completes it, with no lock held: for statistics.
    /// <see cref="Failure"/> and the times are set. It must not throw.
    /// </summary>
    protected virtual void OnCompleted()
    {
    }

    /// <summary>For the queue: sets what the caller may read about a computed call.</summary>
    internal void SetTimes(TimeSpan queue, TimeSpan compute, int batchSize) =>
        (_queueTime, _computeTime, _batchSize) = (queue, compute, batchSize);

    /// <summary>For the queue: completes the call, which belongs to its caller from then on.</summary>
    internal void Complete()
    {
        OnCompleted();
        IsUnderWay = false;
        if (Failure is { } failure)
        {
            _source.SetException(failure);
        }
        else
        {
            _source.SetResult(true);
        }
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
