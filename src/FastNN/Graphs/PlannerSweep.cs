namespace FastNN.Graphs;

/// <summary>
/// Places buffers in the order of time, forward or backward: what begins takes the smallest gap that fits between those alive,
/// what ends leaves one. In that order everything placed before and alive at the same time is alive now, so this is best fit over
/// all of them in n log n.
/// </summary>
internal sealed class PlannerSweep
{
    private readonly SortedSet<(long Bytes, long Start)> _gaps = [];
    private readonly Dictionary<long, long> _endOfGapAt = [];
    private readonly Dictionary<long, long> _startOfGapBefore = [];
    private long _top;

    private PlannerSweep()
    {
    }

    /// <summary>Sets every buffer's offset.</summary>
    /// <returns>Bytes of the arena.</returns>
    public static long Place(IReadOnlyList<Buffer> buffers, bool backward)
    {
        Func<Buffer, int> begin = backward ? buffer => -buffer.Last : buffer => buffer.First;
        Func<Buffer, int> end = backward ? buffer => -buffer.First : buffer => buffer.Last;
        Buffer[] beginning = [.. buffers.OrderBy(begin).ThenByDescending(buffer => buffer.Bytes)];
        Buffer[] ending = [.. buffers.OrderBy(end)];
        var sweep = new PlannerSweep();
        long peak = 0;
        int ended = 0;
        foreach (Buffer buffer in beginning)
        {
            for (; end(ending[ended]) < begin(buffer); ended++)
            {
                sweep.Release(ending[ended].Offset, Planner.Align(ending[ended].Bytes));
            }

            buffer.Offset = sweep.Take(Planner.Align(buffer.Bytes));
            peak = Math.Max(peak, sweep._top);
        }

        return peak;
    }

    private long Take(long bytes)
    {
        if (bytes == 0)
        {
            return 0;
        }

        (long size, long start) = _gaps.GetViewBetween((bytes, 0), (long.MaxValue, long.MaxValue)).Min;
        if (size == 0)
        {
            _top += bytes;
            return _top - bytes;
        }

        RemoveGap(start, start + size);
        if (size > bytes)
        {
            AddGap(start + bytes, start + size);
        }

        return start;
    }

    private void Release(long start, long bytes)
    {
        if (bytes == 0)
        {
            return;
        }

        long end = start + bytes;
        if (_startOfGapBefore.TryGetValue(start, out long before))
        {
            RemoveGap(before, start);
            start = before;
        }

        if (_endOfGapAt.TryGetValue(end, out long after))
        {
            RemoveGap(end, after);
            end = after;
        }

        if (end == _top)
        {
            _top = start;
        }
        else
        {
            AddGap(start, end);
        }
    }

    private void AddGap(long start, long end)
    {
        _gaps.Add((end - start, start));
        _endOfGapAt.Add(start, end);
        _startOfGapBefore.Add(end, start);
    }

    private void RemoveGap(long start, long end)
    {
        _gaps.Remove((end - start, start));
        _endOfGapAt.Remove(start);
        _startOfGapBefore.Remove(end);
    }
}
