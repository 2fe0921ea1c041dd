using System.Globalization;

namespace FastNN.Hosting;

/// <summary>
/// The calls of one version of a model that wait, and the batches that are computed of them. Thread-safe.
/// </summary>
/// <remarks>
/// <para>
/// A call that finds the model idle is computed at once on its caller's thread, and so is one of a model that is busy if it is
/// short: to wait, and to be woken, would cost more than to be computed. While other batches are computed, calls gather, and
/// what has gathered is the next batch, on a thread of the pool. Only where callers came together before, and are therefore
/// expected back together, does an idle model wait for them, for <see cref="BatchingOptions.MaxDelay"/> at most; the one that
/// completes the batch computes it. No thread waits for work, and the queue's one timer runs only then, so an idle queue uses
/// no processor.
/// </para>
/// <para>
/// Order: by arrival, with each step of priority worth <see cref="BatchingOptions.PriorityStep"/>. The first call is always in
/// the next batch, so none starves; those behind it that join it fill the batch, and the others keep their places.
/// </para>
/// </remarks>
internal sealed partial class BatchQueue : IAsyncDisposable
{
    private const long Never = long.MaxValue;

    private readonly Lock _gate = new();
    private readonly string _model;
    private readonly IBatchExecutor _executor;
    private readonly TimeProvider _time;
    private readonly int _maxBatch;
    private readonly int _queueLength;
    private readonly bool _computeOnCaller;
    private readonly long _maxDelay;
    private readonly long _objective;
    private readonly long _priorityStep;
    private readonly BatchTimes _times = new();
    private readonly BatchWorker[] _idle;
    private readonly BatchWorker[] _workers;

    // How many of the workers are for short batches alone.
    private readonly int _spare;
    private readonly ITimer? _timer;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CallList _waiting;
    private int _idleCount;
    private bool _isClosed;

    /// <param name="model">The model's name and version, for messages: <c>digits, version 2</c>.</param>
    /// <param name="executor">Computes the batches.</param>
    /// <param name="options">The queue's settings, which are copied.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public BatchQueue(string model, IBatchExecutor executor, BatchingOptions options, TimeProvider? time = null)
    {
        options.Check();
        (_model, _executor, _time) = (model, executor, time ?? TimeProvider.System);
        _fullRows = options.MaxBatch;
        (_maxBatch, _queueLength, _computeOnCaller) = (options.MaxBatch, options.QueueLength, options.ComputeOnCaller);
        _maxDelay = Ticks(options.MaxDelay);
        _objective = options.Objective == Timeout.InfiniteTimeSpan ? Never : Ticks(options.Objective);
        _priorityStep = Ticks(options.PriorityStep);
        _spare = _computeOnCaller ? executor.ShortBatches : 0;
        _workers = new BatchWorker[options.MaxConcurrency + _spare];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new BatchWorker(this, _maxBatch);
        }

        _idle = [.. _workers];
        _idleCount = _idle.Length;
        if (_maxDelay > 0)
        {
            // The timer outlives the caller who makes the queue, so it must not keep that caller's context.
            using AsyncFlowControl flow = ExecutionContext.SuppressFlow();
            _timer = _time.CreateTimer(
                static queue => ((BatchQueue)queue!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>How many calls wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>How many batches are being computed.</summary>
    public int Running
    {
        get
        {
            lock (_gate)
            {
                return _idle.Length - _idleCount;
            }
        }
    }

    /// <summary>
    /// Takes a call on: computes it at once on this thread if the model is idle, lets it wait, or refuses it. Whatever happens,
    /// the call completes, and never throws from here.
    /// </summary>
    public void Enqueue(QueuedCall call, CancellationToken cancellationToken)
    {
        QueuePlace place = call.Place;
        long now = _time.GetTimestamp();
        place.Arrival = now;
        place.Rows = call.Rows;
        place.Order = Later(now, -(Int128)call.Priority * _priorityStep);
        place.Latest = Math.Min(call.Deadline == 0 ? Never : call.Deadline, Later(now, _objective));
        (place.Queue, place.Cancellation) = (this, cancellationToken);

        // Only a call that waits needs to hear of its cancellation, and it must before it is in the list: nobody takes it out and
        // reuses it meanwhile.
        bool isHeard = !cancellationToken.CanBeCanceled;
        var turn = default(Turn);
        while (!Place(call, now, isHeard, ref turn))
        {
            place.Registration = cancellationToken.UnsafeRegister(static state => Cancel((QueuedCall)state!), call);
            isHeard = true;
        }

        Complete(turn.Refused);
        Start(turn.Worker, onThisThread: _computeOnCaller && turn.HasCaller);
    }

    /// <summary>Takes no further calls, and completes when those that wait have been computed. May be called again.</summary>
    /// <param name="cancellationToken">Refuses those that still wait; a batch that is being computed is finished always.</param>
    public async Task DrainAsync(CancellationToken cancellationToken = default)
    {
        var turn = default(Turn);
        lock (_gate)
        {
            _isClosed = true;
            TakeTurn(_time.GetTimestamp(), ref turn);
        }

        Complete(turn.Refused);
        Start(turn.Worker, onThisThread: false);
        using (cancellationToken.UnsafeRegister(static queue => ((BatchQueue)queue!).RefuseWaiting(), this))
        {
            await _drained.Task.ConfigureAwait(false);
        }

        if (_timer is not null)
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="DrainAsync"/>.</summary>
    public ValueTask DisposeAsync() => new(DrainAsync());

    /// <summary>Finds a place for a call: a worker, the list, or the refused.</summary>
    /// <returns>False where it would wait and does not hear of its cancellation yet.</returns>
    private bool Place(QueuedCall call, long now, bool isHeard, ref Turn turn)
    {
        lock (_gate)
        {
            bool isShort = IsShort(call.Place.Rows);
            bool canStart = _waiting.Count == 0 && _idleCount > (isShort ? 0 : _spare);
            if (Refusal(call, now, canStart) is { } refusal)
            {
                call.Fail(refusal);
                Refuse(call, ref turn);
                return true;
            }

            if (canStart && !Expects(now, 1, call.Place.Rows, call.Place.Latest))
            {
                turn.Worker = _idle[--_idleCount];
                turn.Worker.Add(call);
                (turn.Worker.Started, turn.Worker.IsShort) = (now, isShort);
                turn.HasCaller = true;
                LearnRows(call.Place.Rows, leftOthers: false);
                return true;
            }

            if (!isHeard)
            {
                return false;
            }

            if (_waiting.Count >= _queueLength)
            {
                MakeRoom(ref turn);
            }

            _waiting.Insert(call);
            TakeTurn(now, ref turn);
            turn.HasCaller = !call.Place.IsWaiting;
            return true;
        }
    }

    /// <summary>
    /// A cancelled call leaves the list. Where it is not in it, it is being computed, or this is an echo of an earlier run.
    /// </summary>
    private static void Cancel(QueuedCall call)
    {
        if (call.Place.Queue is not { } queue)
        {
            return;
        }

        lock (queue._gate)
        {
            // The token that cancels may be an earlier run's; the present one's says whether this run is meant.
            if (!call.Place.IsWaiting || call.Place.Queue != queue || !call.Place.Cancellation.IsCancellationRequested)
            {
                return;
            }

            queue._waiting.Remove(call);
            call.Fail(new OperationCanceledException(call.Place.Cancellation));
            queue.CheckDrained();
        }

        Complete(call);
    }

    /// <summary>Refuses all calls that wait, since the service gives up on them.</summary>
    private void RefuseWaiting()
    {
        var turn = default(Turn);
        lock (_gate)
        {
            while (_waiting.First is { } call)
            {
                _waiting.Remove(call);
                call.Fail(ShuttingDown());
                Refuse(call, ref turn);
            }

            CheckDrained();
        }

        Complete(turn.Refused);
    }

    private void CheckDrained()
    {
        if (_isClosed && _waiting.Count == 0 && _idleCount == _idle.Length)
        {
            _drained.TrySetResult();
        }
    }

    /// <summary>Puts a call that was taken out, or never was in, with those to be completed when the lock is left.</summary>
    private static void Refuse(QueuedCall call, ref Turn turn)
    {
        call.Place.Next = turn.Refused;
        turn.Refused = call;
    }

    /// <summary>Completes calls that were refused, with no lock held.</summary>
    private static void Complete(QueuedCall? refused)
    {
        while (refused is not null)
        {
            QueuedCall call = refused;
            refused = call.Place.Next;
            Release(call);
            call.Complete();
        }
    }

    /// <summary>Forgets a call that is out of the list, before it completes.</summary>
    private static void Release(QueuedCall call)
    {
        // Not disposed, which would wait for a cancellation that is under way and wants the lock.
        call.Place.Registration.Unregister();
        (call.Place.Registration, call.Place.Cancellation, call.Place.Next) = (default, default, null);
    }

    /// <summary>A timestamp moved by a time, at the ends of the range at most.</summary>
    private static long Later(long timestamp, Int128 ticks) =>
        (long)Int128.Clamp(timestamp + ticks, long.MinValue, Never);

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    private TimeSpan Span(double ticks) => TimeSpan.FromSeconds(ticks / _time.TimestampFrequency);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>What leaving the lock brings to do.</summary>
    private struct Turn
    {
        /// <summary>Has a batch to compute; null for none.</summary>
        public BatchWorker? Worker;

        /// <summary>Whether the call that the caller brought is in that batch.</summary>
        public bool HasCaller;

        /// <summary>
        /// The first of the calls to be completed with their failures, linked by <see cref="QueuePlace.Next"/>.
        /// </summary>
        public QueuedCall? Refused;
    }
}
