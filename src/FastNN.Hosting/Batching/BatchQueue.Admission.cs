namespace FastNN.Hosting;

/// <content>Who may come in: the rules by which calls are refused at once.</content>
internal sealed partial class BatchQueue
{
    /// <summary>How many deviations an estimate is raised by, so that those admitted are in time nearly always.</summary>
    private const double Margin = 2;

    /// <summary>For how many seconds the time of an idle model is believed. Past it one call is computed, and tells.</summary>
    private const double Believed = 1;

    private static readonly TimeSpan LeastRetry = TimeSpan.FromMilliseconds(1);

    /// <summary>Rows of a batch while more wait than one takes: fewer than the limit where shapes are mixed.</summary>
    private double _fullRows;

    /// <summary>How far such batches are off that on average, as calls of several rows do not fill each to the limit.</summary>
    private double _fullRowsOff;

    /// <summary>Rows of late batches.</summary>
    private double _lateRows;

    /// <summary>What such a batch may come to.</summary>
    private double MostFullRows => Math.Clamp(_fullRows + (Margin * _fullRowsOff), 1, Limit);

    private int Limit => Math.Max(1, Math.Min(_maxBatch, _executor.MaxRows));

    /// <summary>Why a call is not taken on; null where it is.</summary>
    /// <param name="call">The call.</param>
    /// <param name="now">The present.</param>
    /// <param name="canStart">Whether it overtakes nobody and has a worker.</param>
    private Exception? Refusal(QueuedCall call, long now, bool canStart)
    {
        QueuePlace place = call.Place;
        if (_isClosed)
        {
            return ShuttingDown();
        }

        if (place.Cancellation.IsCancellationRequested)
        {
            return new OperationCanceledException(place.Cancellation);
        }

        if (place.Rows > _executor.MaxRows)
        {
            return new InferenceException(
                InferenceFailure.InvalidInput,
                Text(
                    $"model {_model}: expected at most {_executor.MaxRows} rows in a call, got {place.Rows}; send several calls."));
        }

        long finish = place.Latest == Never ? 0 : now + (long)(canStart ? AloneTicks(place.Rows, now) : QueuedTicks(call, now));
        if (call.Deadline != 0 && (now >= call.Deadline || finish > call.Deadline))
        {
            return TooLate(call, finish - now);
        }

        if (finish > place.Latest && !canStart)
        {
            return Full(Text($"its answer would take {Span(finish - now).TotalMilliseconds:F0} ms"), finish - place.Latest);
        }

        if (_waiting.Count >= _queueLength
            && !(_waiting.Last!.Priority < call.Priority && _waiting.Last.Place.Order > place.Order))
        {
            return Full(Text($"{_waiting.Count} calls wait"), RemainingTicks(now));
        }

        return null;
    }

    /// <summary>A call of a higher priority takes the place of the last one.</summary>
    private void MakeRoom(ref Turn turn)
    {
        QueuedCall last = _waiting.Last!;
        _waiting.Remove(last);
        double ticks = RemainingTicks(_time.GetTimestamp());
        last.Fail(Full(Text($"{_queueLength} calls wait, and one of a higher priority came"), ticks));
        Refuse(last, ref turn);
    }

    /// <summary>How long a call takes that finds the model idle.</summary>
    private double AloneTicks(int rows, long now) =>
        now - _times.LastMeasured > Believed * _time.TimestampFrequency ? 0 : _times.Estimate(rows);

    /// <summary>
    /// How long a call takes that has to wait: what is left of the present batch, the batches before its own, its own, and a
    /// margin.
    /// </summary>
    private double QueuedTicks(QueuedCall call, long now)
    {
        if (!_times.IsKnown)
        {
            return 0;
        }

        int limit = Limit;
        double rows = _waiting.RowsBefore(call.Place.Order) + call.Place.Rows;

        // Over several batches what each holds less than the mean evens out.
        double full = Math.Clamp(_fullRows, 1, limit);
        double perBatch = Math.Max(1, full - (Margin * _fullRowsOff / Math.Sqrt(Math.Max(1, rows / full))));
        double batches = Math.Max(0, Math.Ceiling(rows / perBatch) - 1);

        // Those that come later join its batch. How many is known where batches are full, and else from those before.
        double own = batches > 0 ? MostFullRows : Math.Min(limit, Math.Max(rows, _lateRows));
        own = Math.Max(own, call.Place.Rows);
        double before = RemainingTicks(now) + (batches * _times.Estimate(full) / (_workers.Length - _spare));
        return before + _times.Estimate(own) + (Margin * _times.Deviation * Math.Sqrt(batches + 1));
    }

    /// <summary>How long until the first of the batches that are computed is done.</summary>
    private double RemainingTicks(long now)
    {
        if (_idleCount > _spare)
        {
            return 0;
        }

        double least = double.PositiveInfinity;
        foreach (BatchWorker worker in _workers)
        {
            least = worker.Rows == 0
                ? least
                : Math.Min(least, Math.Max(0, worker.Started - now + _times.Estimate(worker.Rows)));
        }

        return least;
    }

    private void LearnRows(int rows, bool leftOthers)
    {
        _lateRows += (rows - _lateRows) / 8;
        if (leftOthers)
        {
            _fullRowsOff += (Math.Abs(rows - _fullRows) - _fullRowsOff) / 8;
            _fullRows += (rows - _fullRows) / 8;
        }
    }

    private InferenceException TooLate(QueuedCall call, double ticks)
    {
        double left = Span(call.Deadline - call.Place.Arrival).TotalMilliseconds;
        return new InferenceException(
            InferenceFailure.DeadlineExceeded,
            left <= 0
                ? Text($"model {_model}: the call came behind its deadline.")
                : Text(
                    $"model {_model}: expected a deadline that the answer can meet, about {Span(ticks).TotalMilliseconds:F1} ms from now, got {left:F1} ms; allow more time, or send fewer calls."));
    }

    /// <summary>Why a call that waited is not computed any more.</summary>
    private InferenceException Late(QueuedCall call, long now)
    {
        double waited = Span(now - call.Place.Arrival).TotalMilliseconds;
        return call.Deadline != 0 && call.Deadline <= call.Place.Latest
            ? new InferenceException(
                InferenceFailure.DeadlineExceeded,
                Text(
                    $"model {_model}: after {waited:F1} ms in the queue the answer would come behind the deadline; allow more time, or send fewer calls."))
            : Full(Text($"{waited:F1} ms in the queue were too long for the objective"), 0);
    }

    private InferenceException Full(string reason, double ticks)
    {
        TimeSpan hint = TimeSpan.FromMilliseconds(Math.Ceiling(Span(ticks).TotalMilliseconds));
        hint = hint < LeastRetry ? LeastRetry : hint;
        return new InferenceException(
            InferenceFailure.QueueFull,
            Text($"model {_model}: too many calls ({reason}); try again in {hint.TotalMilliseconds:F0} ms."))
        {
            RetryAfter = hint,
        };
    }

    private InferenceException ShuttingDown() => new(
        InferenceFailure.ShuttingDown,
        $"model {_model}: the service is shutting down, or the model is being unloaded; try another instance.");
}
