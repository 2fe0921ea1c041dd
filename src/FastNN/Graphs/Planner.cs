namespace FastNN.Graphs;

/// <summary>A stretch of arena memory that must stay untouched from its first step to its last.</summary>
internal sealed class Buffer(string name, long bytes, int first, int last)
{
    public string Name { get; } = name;

    public long Bytes { get; } = bytes;

    /// <summary>The step that first writes it.</summary>
    public int First { get; set; } = first;

    /// <summary>The last step that reads it.</summary>
    public int Last { get; set; } = last;

    /// <summary>Where it lies in the arena; the planner's answer.</summary>
    public long Offset { get; set; } = -1;

    public bool Overlaps(Buffer other) => First <= other.Last && other.First <= Last;
}

/// <summary>
/// Assigns arena offsets from lifetimes. Offline dynamic storage allocation is NP-hard; greedy placement by size with best fit
/// (Pisarchyk and Lee, 2020) is near the lower bound for networks. Several placing orders are tried and the smallest arena wins.
/// Planning happens once per shape, so quadratic time does not matter up to some thousand buffers; beyond, only the orders of
/// time are tried, which take n log n.
/// </summary>
internal static class Planner
{
    /// <summary>Cache lines and the widest vectors are 64 bytes; separate lines also keep workers from sharing one.</summary>
    public const int Alignment = 64;

    /// <summary>The most buffers that are placed in quadratic time, in some tenths of a second.</summary>
    public const int ManyBuffers = 4096;

    private static readonly Comparison<Buffer>[] Orders =
    [
        (a, b) => Compare(b.Bytes, a.Bytes, a.First, b.First),
        (a, b) => Compare(b.Bytes * (b.Last - b.First + 1), a.Bytes * (a.Last - a.First + 1), a.First, b.First),
        (a, b) => Compare(b.Last - b.First, a.Last - a.First, b.Bytes, a.Bytes),
        (a, b) => Compare(a.First, b.First, b.Bytes, a.Bytes),
        (a, b) => Compare(b.Last, a.Last, b.Bytes, a.Bytes),
    ];

    /// <summary>Sets every buffer's offset.</summary>
    /// <returns>Bytes of the arena, and the lower bound: the largest sum alive at one step.</returns>
    public static (long Peak, long LowerBound) Assign(IReadOnlyList<Buffer> buffers)
    {
        long lowerBound = LowerBound(buffers);
        Func<long>[] attempts = buffers.Count > ManyBuffers
            ? [() => PlannerSweep.Place(buffers, backward: false), () => PlannerSweep.Place(buffers, backward: true)]
            : [.. Orders.Select(order => (Func<long>)(() => Place(buffers, order)))];
        long best = long.MaxValue;
        var offsets = new long[buffers.Count];
        foreach (Func<long> attempt in attempts)
        {
            long peak = attempt();
            if (peak < best)
            {
                best = peak;
                for (int i = 0; i < offsets.Length; i++)
                {
                    offsets[i] = buffers[i].Offset;
                }
            }

            if (best == lowerBound)
            {
                break;
            }
        }

        for (int i = 0; i < offsets.Length; i++)
        {
            buffers[i].Offset = offsets[i];
        }

        return (buffers.Count == 0 ? 0 : best, lowerBound);
    }

    public static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static int Compare(long a, long b, long c, long d) => a != b ? a.CompareTo(b) : c.CompareTo(d);

    private static long LowerBound(IReadOnlyList<Buffer> buffers)
    {
        // The sum alive can only grow where a buffer begins.
        Buffer[] beginning = [.. buffers.OrderBy(buffer => buffer.First)];
        Buffer[] ending = [.. buffers.OrderBy(buffer => buffer.Last)];
        long alive = 0, most = 0;
        int ended = 0;
        foreach (Buffer buffer in beginning)
        {
            for (; ending[ended].Last < buffer.First; ended++)
            {
                alive -= Align(ending[ended].Bytes);
            }

            alive += Align(buffer.Bytes);
            most = Math.Max(most, alive);
        }

        return most;
    }

    private static long Place(IReadOnlyList<Buffer> buffers, Comparison<Buffer> order)
    {
        var sorted = new List<Buffer>(buffers);
        sorted.Sort(order);
        var placed = new List<Buffer>(sorted.Count);
        long peak = 0;
        foreach (Buffer buffer in sorted)
        {
            long size = Align(buffer.Bytes);
            buffer.Offset = BestGap(placed, buffer, size);
            peak = Math.Max(peak, buffer.Offset + size);
            // Kept in order of offsets, so that gaps are found in one pass.
            int at = placed.FindIndex(p => p.Offset > buffer.Offset);
            placed.Insert(at < 0 ? placed.Count : at, buffer);
        }

        return peak;
    }

    /// <summary>
    /// The smallest gap that fits between the placed buffers alive at the same time, else the place behind them.
    /// </summary>
    private static long BestGap(List<Buffer> placed, Buffer buffer, long size)
    {
        long best = -1;
        long smallest = long.MaxValue;
        long end = 0;
        foreach (Buffer other in placed)
        {
            if (!other.Overlaps(buffer))
            {
                continue;
            }

            long gap = other.Offset - end;
            if (gap >= size && gap < smallest)
            {
                (smallest, best) = (gap, end);
            }

            end = Math.Max(end, other.Offset + Align(other.Bytes));
        }

        return best >= 0 ? best : end;
    }
}
