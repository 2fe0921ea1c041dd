namespace FastNN.Formats;

/// <summary>What an event is of.</summary>
internal enum EventKind
{
    Scalar,
    Histogram,
    Image,

    /// <summary>A tag, metadata and tensor that are written already.</summary>
    Value,

    Graph,
    SessionStart,
}

/// <summary>What waits to be written.</summary>
/// <param name="Content">The floats of a histogram, rented; a <see cref="PixelBlock"/>; the bytes of a value, a graph or a
/// PNG file.</param>
/// <param name="Length">The histogram's floats.</param>
internal readonly record struct PendingEvent(
    EventKind Kind, double WallTime, long Step, string Tag, float Scalar = 0, object? Content = null, int Length = 0)
{
    public long Bytes => Content switch
    {
        PixelBlock image => image.Pixels.Length,
        byte[] bytes => bytes.Length,
        float[] => (long)Length * sizeof(float),
        _ => 0,
    };
}

/// <summary>
/// A bounded queue from any number of threads to one, which takes all that there is at once. The one is waked by the first event
/// and then waits for more, so that an event costs its caller a lock and not the waking of a thread; a channel wakes its reader
/// each time that it ran empty.
/// </summary>
/// <param name="capacity">Events that may wait.</param>
/// <param name="maxBytes">Bytes that their contents may have together; a single one may have more.</param>
/// <param name="delay">How long events are gathered.</param>
internal sealed class EventQueue(int capacity, long maxBytes, TimeSpan delay)
{
    private readonly object _gate = new();
    private List<PendingEvent> _pending = [];
    private long _bytes;
    private long _added;
    private long _done;
    private bool _isUrgent;
    private bool _isClosed;
    private Exception? _failure;

    /// <summary>What the taker failed with; null where it did not.</summary>
    public Exception? Failure
    {
        get
        {
            lock (_gate)
            {
                return _failure;
            }
        }
    }

    /// <summary>Adds an event. Where the queue is full it waits until the taker has caught up.</summary>
    /// <returns>Whether it is in; false where the queue was closed or its taker has failed.</returns>
    public bool Add(in PendingEvent added)
    {
        long bytes = added.Bytes;
        lock (_gate)
        {
            while (!_isClosed && _failure is null
                && (_pending.Count >= capacity || (bytes > 0 && _bytes > 0 && _bytes + bytes > maxBytes)))
            {
                Hurry();
                Monitor.Wait(_gate);
            }

            if (_isClosed || _failure is not null)
            {
                return false;
            }

            _pending.Add(added);
            _bytes += bytes;
            _added++;
            if (_pending.Count == 1)
            {
                Monitor.PulseAll(_gate);
            }
            else if (!_isUrgent && (_pending.Count > capacity / 2 || _bytes > maxBytes / 2))
            {
                // Before it is full: nobody should have to wait.
                Hurry();
            }

            return true;
        }
    }

    /// <summary>Waits for events and takes all of them.</summary>
    /// <param name="events">An empty list, which the queue keeps.</param>
    /// <returns>The events; none where the queue is closed and empty.</returns>
    public List<PendingEvent> Take(List<PendingEvent> events)
    {
        lock (_gate)
        {
            while (_pending.Count == 0 && !_isClosed)
            {
                Monitor.Wait(_gate);
            }

            long until = Environment.TickCount64 + (long)delay.TotalMilliseconds;
            while (!_isUrgent && !_isClosed && until - Environment.TickCount64 is > 0 and var left)
            {
                Monitor.Wait(_gate, (int)left);
            }

            (List<PendingEvent> taken, _pending) = (_pending, events);
            (_bytes, _isUrgent) = (0, false);
            Monitor.PulseAll(_gate);
            return taken;
        }
    }

    /// <summary>Says that events that were taken are written.</summary>
    public void Done(int count)
    {
        lock (_gate)
        {
            _done += count;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until all events that were added before are written.</summary>
    /// <returns>Whether they are; false where the taker has failed.</returns>
    public bool Flush()
    {
        lock (_gate)
        {
            long until = _added;
            while (_done < until && _failure is null)
            {
                Hurry();
                Monitor.Wait(_gate);
            }

            return _failure is null;
        }
    }

    /// <summary>Takes no more events; those that are in are still to be taken.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Says why nothing will be taken any more.</summary>
    public void Fail(Exception failure)
    {
        lock (_gate)
        {
            _failure = failure;
            _pending.Clear();
            Monitor.PulseAll(_gate);
        }
    }

    private void Hurry()
    {
        if (!_isUrgent)
        {
            _isUrgent = true;
            Monitor.PulseAll(_gate);
        }
    }
}
