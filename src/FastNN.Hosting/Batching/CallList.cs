namespace FastNN.Hosting;

/// <summary>
/// Calls in the order in which they are to be served, linked through their <see cref="QueuePlace"/>, so that nothing is
/// allocated and any of them can leave. A new call is almost always the last, and its place is looked for from the end.
/// </summary>
internal struct CallList
{
    /// <summary>The first to be served.</summary>
    public QueuedCall? First { get; private set; }

    /// <summary>The last to be served.</summary>
    public QueuedCall? Last { get; private set; }

    /// <summary>How many calls there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many rows they have together.</summary>
    public long Rows { get; private set; }

    /// <summary>The rows of the calls that go before one with this place in the order.</summary>
    public readonly long RowsBefore(long order)
    {
        long rows = Rows;
        for (QueuedCall? call = Last; call is not null && call.Place.Order > order; call = call.Place.Previous)
        {
            rows -= call.Place.Rows;
        }

        return rows;
    }

    /// <summary>Puts a call behind all that go before it.</summary>
    public void Insert(QueuedCall call)
    {
        QueuePlace place = call.Place;
        QueuedCall? before = Last;
        while (before is not null && before.Place.Order > place.Order)
        {
            before = before.Place.Previous;
        }

        QueuedCall? after = before is null ? First : before.Place.Next;
        (place.Previous, place.Next, place.IsWaiting) = (before, after, true);
        First = before is null ? call : First;
        Last = after is null ? call : Last;
        before?.Place.Next = call;
        after?.Place.Previous = call;
        Count++;
        Rows += place.Rows;
    }

    /// <summary>Takes a call out.</summary>
    public void Remove(QueuedCall call)
    {
        QueuePlace place = call.Place;
        First = place.Previous is null ? place.Next : First;
        Last = place.Next is null ? place.Previous : Last;
        place.Previous?.Place.Next = place.Next;
        place.Next?.Place.Previous = place.Previous;
        (place.Previous, place.Next, place.IsWaiting) = (null, null, false);
        Count--;
        Rows -= place.Rows;
    }
}
