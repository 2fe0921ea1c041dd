using System.Diagnostics;
using FastNN.Graphs;

namespace FastNN.Inference.Profiling;

/// <summary>
/// Collects the steps of runs, of any number of threads. A pass costs one lock and a copy of its times; names and sums are put
/// together at the end.
/// </summary>
internal sealed class ProfileRecorder : IStepObserver
{
    /// <summary>Times kept one by one for a trace; sums count all.</summary>
    private const int MaxTimes = 1 << 20;

    private const int ChunkLength = 1 << 13;

    private readonly Lock _gate = new();
    private readonly Dictionary<StepDescription[], Sums> _sums = [];
    private readonly List<(StepDescription[] Steps, int Thread, ArraySegment<long> Times)> _passes = [];
    private readonly long _start = Stopwatch.GetTimestamp();
    private long[] _chunk = [];
    private int _used;
    private int _kept;

    public void Ran(StepDescription[] steps, ReadOnlySpan<long> times)
    {
        lock (_gate)
        {
            if (!_sums.TryGetValue(steps, out Sums? sums))
            {
                _sums.Add(steps, sums = new Sums(steps.Length));
            }

            sums.Runs++;
            long[] ticks = sums.Ticks;
            for (int i = 0; i < ticks.Length; i++)
            {
                ticks[i] += times[i + 1] - times[i];
            }

            Keep(steps, times);
        }
    }

    /// <summary>What was collected.</summary>
    /// <param name="device">What ran it.</param>
    /// <param name="peak">Floating-point operations of the device in a second.</param>
    /// <param name="medians">Whether each call counts with the median of its step's times, of those kept for a trace, so that a
    /// busy machine does not show; default with its own time.</param>
    public SessionProfile ToProfile(string device, double peak, bool medians = false)
    {
        lock (_gate)
        {
            (StepDescription Step, long Calls, long Ticks)[] all =
            [
                .. _sums.SelectMany(sums => sums.Key.Select((step, i) => (
                    step, sums.Value.Runs,
                    medians ? sums.Value.Runs * MedianOf(sums.Key, i) : sums.Value.Ticks[i]))),
            ];
            double total = all.Sum(one => (double)one.Ticks);
            ProfileRow[] rows =
            [
                .. all.GroupBy(one => (one.Step.Pass, one.Step.Name, one.Step.Shapes)).Select(same =>
                {
                    long calls = same.Sum(one => one.Calls), ticks = same.Sum(one => one.Ticks);
                    OperatorCost cost = same.First().Step.Cost;
                    double seconds = (double)ticks / Stopwatch.Frequency;
                    double rate = seconds > 0 ? cost.Flops * calls / seconds : 0;
                    return new ProfileRow(
                        same.Key.Name, same.Key.Shapes, calls, TimeSpan.FromSeconds(seconds), total > 0 ? ticks / total : 0,
                        rate / 1e9, seconds > 0 ? cost.Bytes * (double)calls / seconds / 1e9 : 0, peak > 0 ? rate / peak : 0)
                    {
                        Pass = same.Key.Pass,
                        FlopsPerCall = cost.Flops,
                        BytesPerCall = cost.Bytes,
                    };
                }).OrderByDescending(row => row.Time),
            ];
            return new SessionProfile(device, peak, rows, [.. _passes.SelectMany(Events)]);
        }
    }

    private long MedianOf(StepDescription[] steps, int step)
    {
        long[] times =
        [
            .. _passes.Where(pass => pass.Steps == steps).Select(pass => pass.Times[step + 1] - pass.Times[step]).Order(),
        ];
        return times.Length == 0 ? 0 : times[times.Length / 2];
    }

    private void Keep(StepDescription[] steps, ReadOnlySpan<long> times)
    {
        if (_kept + times.Length > MaxTimes)
        {
            return;
        }

        if (_used + times.Length > _chunk.Length)
        {
            (_chunk, _used) = (new long[Math.Max(ChunkLength, times.Length)], 0);
        }

        var kept = new ArraySegment<long>(_chunk, _used, times.Length);
        times.CopyTo(kept);
        _passes.Add((steps, Environment.CurrentManagedThreadId, kept));
        _used += times.Length;
        _kept += times.Length;
    }

    private IEnumerable<ProfileEvent> Events((StepDescription[] Steps, int Thread, ArraySegment<long> Times) pass) =>
        pass.Steps.Select((step, i) => new ProfileEvent(
            step.Pass, step.Name, step.Shapes, pass.Thread, Microseconds(pass.Times[i] - _start),
            Microseconds(pass.Times[i + 1] - pass.Times[i])));

    private static double Microseconds(long ticks) => ticks * 1e6 / Stopwatch.Frequency;

    private sealed class Sums(int steps)
    {
        public long Runs { get; set; }

        public long[] Ticks { get; } = new long[steps];
    }
}

/// <summary>One step of one run, for a trace.</summary>
internal readonly record struct ProfileEvent(
    ProfilePass Pass, string Name, string Shapes, int Thread, double Start, double Duration);
