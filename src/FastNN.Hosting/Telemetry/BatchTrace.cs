using System.Diagnostics;
using FastNN.Graphs;

namespace FastNN.Hosting;

/// <summary>
/// The operators of one batch with their times, for activities. Made only while somebody listens to
/// <see cref="FastNNDiagnostics.OperatorActivitySourceName"/>; used by the thread that computes the batch, and read when it is
/// done.
/// </summary>
internal sealed class BatchTrace
{
    /// <summary>A network that loops over time steps runs its steps again and again; a trace of more helps nobody.</summary>
    private const int MaxOperators = 1000;

    [ThreadStatic]
    private static BatchTrace? _current;

    private readonly List<(string Name, string Shapes, long Start, long End)> _operators = [];

    // Both clocks at once: operators are timed by the stopwatch, activities begin at a time of day.
    private readonly DateTime _now = DateTime.UtcNow;
    private readonly long _timestamp = Stopwatch.GetTimestamp();

    // The model's name and version stand on each operator.
    private readonly KeyValuePair<string, object?>[] _tags;

    private BatchTrace(KeyValuePair<string, object?>[] tags) => _tags = tags;

    /// <summary>Begins to collect what this thread computes; null where nobody listens.</summary>
    internal static BatchTrace? Start(KeyValuePair<string, object?>[] tags, Session? session)
    {
        if (session is null)
        {
            return null;
        }

        if (!ServingTelemetry.Operators.HasListeners())
        {
            session.StopObserving(StepObserver.Instance);
            return null;
        }

        return session.TryObserve(StepObserver.Instance) ? _current = new BatchTrace(tags) : null;
    }

    /// <summary>The batch is computed.</summary>
    internal void Stop()
    {
        if (_current == this)
        {
            _current = null;
        }
    }

    /// <summary>Makes an activity of each operator.</summary>
    internal void AddTo(Activity parent)
    {
        foreach ((string name, string shapes, long start, long end) in _operators)
        {
            using Activity? one = ServingTelemetry.Operators.StartActivity(
                name, ActivityKind.Internal, parent.Context, _tags, startTime: At(start));
            one?.SetTag("fastnn.operator.shapes", shapes).SetEndTime(At(end));
        }
    }

    private DateTime At(long timestamp) => _now + Stopwatch.GetElapsedTime(_timestamp, timestamp);

    /// <summary>One for all sessions and threads: it hands steps to the trace of the thread that runs them.</summary>
    private sealed class StepObserver : IStepObserver
    {
        public static StepObserver Instance { get; } = new();

        public void Ran(StepDescription[] steps, ReadOnlySpan<long> times)
        {
            if (_current is not { } trace)
            {
                return;
            }

            for (int i = 0; i < steps.Length && trace._operators.Count < MaxOperators; i++)
            {
                trace._operators.Add((steps[i].Name, steps[i].Shapes, times[i], times[i + 1]));
            }
        }
    }
}
