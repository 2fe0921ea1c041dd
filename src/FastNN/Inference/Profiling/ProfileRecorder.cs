using System.Diagnostics;
using FastNN.Graphs;

namespace FastNN.Inference.Profiling;

/// <summary>Collects the steps of runs, of any number of threads.</summary>
internal sealed class ProfileRecorder : IStepObserver
{
    /// <summary>Steps kept one by one for a trace; sums count all.</summary>
    private const int MostEvents = 1 << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<Plan, StepDescription[]> _steps = [];
    private readonly Dictionary<(string Name, string Shapes), (long Calls, long Ticks, OperatorCost Cost)> _sums = [];
    private readonly List<(StepDescription Step, int Thread, long From, long To)> _events = [];
    private readonly long _start = Stopwatch.GetTimestamp();

    public void Ran(Plan plan, int step, long from, long to)
    {
        lock (_gate)
        {
            if (!_steps.TryGetValue(plan, out StepDescription[]? steps))
            {
                _steps.Add(plan, steps = StepDescription.Of(plan));
            }

            StepDescription one = steps[step];
            (long calls, long ticks, _) = _sums.GetValueOrDefault((one.Name, one.Shapes));
            _sums[(one.Name, one.Shapes)] = (calls + 1, ticks + to - from, one.Cost);
            if (_events.Count < MostEvents)
            {
                _events.Add((one, Environment.CurrentManagedThreadId, from, to));
            }
        }
    }

    /// <summary>What was collected.</summary>
    /// <param name="device">What ran it.</param>
    /// <param name="peak">Floating-point operations of the device in a second.</param>
    public SessionProfile ToProfile(string device, double peak)
    {
        lock (_gate)
        {
            double total = _sums.Values.Sum(sum => (double)sum.Ticks);
            ProfileRow[] rows =
            [
                .. _sums.Select(sum =>
                {
                    (long calls, long ticks, OperatorCost cost) = sum.Value;
                    double seconds = (double)ticks / Stopwatch.Frequency;
                    double rate = seconds > 0 ? cost.Flops * calls / seconds : 0;
                    return new ProfileRow(
                        sum.Key.Name, sum.Key.Shapes, calls, TimeSpan.FromSeconds(seconds), total > 0 ? ticks / total : 0,
                        rate / 1e9, seconds > 0 ? cost.Bytes * (double)calls / seconds / 1e9 : 0, peak > 0 ? rate / peak : 0);
                }).OrderByDescending(row => row.Time),
            ];
            return new SessionProfile(device, peak, rows,
                [.. _events.Select(one => new ProfileEvent(
                    one.Step.Name, one.Step.Shapes, one.Thread, Microseconds(one.From - _start),
                    Microseconds(one.To - one.From)))]);
        }
    }

    private static double Microseconds(long ticks) => ticks * 1e6 / Stopwatch.Frequency;
}

/// <summary>One step of one run, for a trace.</summary>
internal readonly record struct ProfileEvent(string Name, string Shapes, int Thread, double Start, double Duration);
