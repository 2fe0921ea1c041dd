namespace FastNN.Hosting;

/// <content>Which calls make a batch, when it starts, and its way through the executor.</content>
internal sealed partial class BatchQueue
{
    /// <summary>Seconds that handing work to another thread costs about: an idle model waits for nothing shorter.</summary>
    private const double HandOver = 1e-4;

    /// <summary>
    /// Seconds below which a batch is short: to hand a call over to another thread and back, and to wake threads that help,
    /// costs as much.
    /// </summary>
    private const double Short = 2e-5;

    /// <summary>How many calls were under way or waiting when a batch ended last: as many callers are expected back.</summary>
    private int _together;

    /// <summary>When that was.</summary>
    private long _lastEnd;

    private bool _isTimed;

    /// <summary>Whether so many rows are computed by one thread, beside other batches where need be.</summary>
    private bool IsShort(int rows) =>
        _spare > 0 && _times.IsKnown && _times.Undisturbed(rows) < Short * _time.TimestampFrequency;

    /// <summary>
    /// Whether an idle model waits for more calls: several came together last time, that was just now, they are not all there,
    /// and the most urgent one has the time.
    /// </summary>
    /// <param name="now">The present.</param>
    /// <param name="calls">How many came.</param>
    /// <param name="rows">Their rows.</param>
    /// <param name="urgent">When the answer of the most urgent one that is not in the list must be there.</param>
    private bool Expects(long now, int calls, long rows, long urgent = Never)
    {
        if (_timer is null || _isClosed || _together <= calls || rows >= Limit)
        {
            return false;
        }

        long left = _lastEnd + DelayTicks() - now;
        if (left <= 0)
        {
            return false;
        }

        // The loop is short: each call has at least one row, and their rows do not fill a batch.
        for (QueuedCall? call = _waiting.First; call is not null; call = call.Place.Next)
        {
            urgent = Math.Min(urgent, call.Place.Latest);
        }

        return urgent == Never || now + Wait(left).TotalSeconds * _time.TimestampFrequency
            + _times.Estimate(Math.Max(rows, _lateRows)) + (Margin * _times.Deviation) <= urgent;
    }

    /// <summary>What a wait comes to: whole milliseconds, which is what the system's timer measures.</summary>
    private TimeSpan Wait(long ticks) => TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(Span(ticks).TotalMilliseconds)));

    /// <summary>
    /// How long an idle model waits for callers to come back: not longer than a call takes, as the wait is to save one execution.
    /// </summary>
    private long DelayTicks()
    {
        long delay = Math.Min(_maxDelay, (long)_times.Estimate(1));
        return delay < HandOver * _time.TimestampFrequency ? 0 : delay;
    }

    /// <summary>
    /// Forms the batches that are due: the first is the caller's to start, for others there is a thread of the pool. Calls that
    /// cannot be answered in time are refused on the way.
    /// </summary>
    private void TakeTurn(long now, ref Turn turn)
    {
        while (_idleCount > _spare && _waiting.Count > 0)
        {
            if (Expects(now, _waiting.Count, _waiting.Rows))
            {
                Arm(now);
                break;
            }

            BatchWorker worker = _idle[_idleCount - 1];
            Form(worker, now, ref turn);
            if (worker.Count == 0)
            {
                continue;
            }

            _idleCount--;
            if (turn.Worker is null)
            {
                turn.Worker = worker;
            }
            else
            {
                ThreadPool.UnsafeQueueUserWorkItem(worker, preferLocal: false);
            }
        }

        CheckDrained();
    }

    private void Arm(long now)
    {
        if (!_isTimed)
        {
            _isTimed = true;
            _timer!.Change(Wait(_lastEnd + DelayTicks() - now), Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTimer()
    {
        var turn = default(Turn);
        lock (_gate)
        {
            _isTimed = false;
            TakeTurn(_time.GetTimestamp(), ref turn);
        }

        Complete(turn.Refused);
        Start(turn.Worker, onThisThread: true);
    }

    /// <summary>
    /// The first call and those behind it that join it, in their order, up to the limit. While more wait than a batch takes,
    /// batches are full and what cannot be answered by the end of one is refused: smaller ones would only make more calls late.
    /// Otherwise a batch does not grow beyond what its most urgent call allows.
    /// </summary>
    private void Form(BatchWorker worker, long now, ref Turn turn)
    {
        int limit = Limit;
        bool isCrowded = _waiting.Rows > limit;
        double full = MostFullRows;
        long most = Never;
        QueuedCall? next;
        for (QueuedCall? call = _waiting.First; call is not null; call = next)
        {
            QueuePlace place = call.Place;
            next = place.Next;
            double least = isCrowded ? Math.Max(full, place.Rows) : place.Rows;
            if (place.Latest != Never && now + (long)_times.Least(least) > place.Latest)
            {
                _waiting.Remove(call);
                call.Fail(Late(call, now));
                Refuse(call, ref turn);
                continue;
            }

            if (worker.Count > 0)
            {
                if (!worker.Calls[0].Joins(call))
                {
                    continue;
                }

                long rows = (long)worker.Rows + place.Rows;
                if (rows > limit || (!isCrowded && now + (long)_times.Estimate(rows) > Math.Min(most, place.Latest)))
                {
                    break;
                }
            }

            _waiting.Remove(call);
            worker.Add(call);
            most = Math.Min(most, place.Latest);
            if (worker.Rows >= limit)
            {
                break;
            }
        }

        worker.Started = now;
        if (worker.Count > 0)
        {
            worker.IsShort = IsShort(worker.Rows);
            LearnRows(worker.Rows, _waiting.Rows > 0 && isCrowded);
        }
    }

    /// <summary>Has the batch computed, on this thread or on one of the pool.</summary>
    private void Start(BatchWorker? worker, bool onThisThread)
    {
        if (worker is null)
        {
            return;
        }

        if (!onThisThread || RunNext(worker))
        {
            ThreadPool.UnsafeQueueUserWorkItem(worker, preferLocal: false);
        }
    }

    /// <summary>For a thread of the pool: computes batches until there is none.</summary>
    internal void Work(BatchWorker worker)
    {
        while (RunNext(worker))
        {
        }
    }

    /// <summary>Has the executor compute a batch, and where that fails its calls one by one.</summary>
    /// <returns>Whether it was computed as a whole.</returns>
    private bool Compute(ReadOnlySpan<QueuedCall> calls, bool isShort)
    {
        if (TryExecute(calls, isShort) is not { } failure)
        {
            return true;
        }

        if (calls.Length == 1)
        {
            calls[0].Fail(failure);
            return false;
        }

        for (int i = 0; i < calls.Length; i++)
        {
            calls[i].ForgetFailure();
            if (TryExecute(calls.Slice(i, 1), isShort) is { } own)
            {
                calls[i].Fail(own);
            }
        }

        return false;
    }

    private InferenceException? TryExecute(ReadOnlySpan<QueuedCall> calls, bool isShort)
    {
        try
        {
            _executor.Execute(calls, isShort);
            return null;
        }
        catch (Exception exception)
        {
            return exception as InferenceException ?? new InferenceException(
                InferenceFailure.Failed, $"model {_model}: failed on inputs of valid shapes; see the service's log.", exception);
        }
    }

    private void CompleteAll(BatchWorker worker, long now)
    {
        TimeSpan compute = _time.GetElapsedTime(worker.Started, now);
        foreach (QueuedCall call in worker.Calls)
        {
            Release(call);
            call.SetTimes(_time.GetElapsedTime(call.Place.Arrival, worker.Started), compute, worker.Rows);
            if (call.Failure is null && call.Deadline != 0 && now > call.Deadline)
            {
                double late = Span(now - (double)call.Deadline).TotalMilliseconds;
                call.Fail(new InferenceException(
                    InferenceFailure.DeadlineExceeded,
                    Text($"model {_model}: the answer came {late:F1} ms behind the deadline; allow more time.")));
            }

            // From here on the call is its caller's, who may run it again.
            call.Complete();
        }
    }

    /// <summary>Computes a batch that was formed, and forms the next.</summary>
    /// <returns>Whether the worker has a next batch.</returns>
    private bool RunNext(BatchWorker worker)
    {
        int calls = worker.Count, rows = worker.Rows;
        long started = worker.Started;
        bool isWhole = Compute(worker.Calls, worker.IsShort);
        long now = _time.GetTimestamp();
        CompleteAll(worker, now);

        var turn = default(Turn);
        lock (_gate)
        {
            worker.Clear();
            _idle[_idleCount++] = worker;
            if (isWhole)
            {
                _times.Add(rows, now - started, now);
            }

            (_together, _lastEnd) = (calls + _waiting.Count, now);
            TakeTurn(now, ref turn);
        }

        Complete(turn.Refused);
        return turn.Worker is not null;
    }
}
