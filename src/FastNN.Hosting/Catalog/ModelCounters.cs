using System.Collections.Concurrent;

namespace FastNN.Hosting;

/// <summary>What the calls of one version of a model came to. Thread-safe, without a lock.</summary>
/// <param name="time">The clock.</param>
internal sealed class ModelCounters(TimeProvider time)
{
    // Callers choose batch sizes of models that are not batched here, so that the number of different ones is bounded.
    private const int MostSizes = 1024;

    private readonly ConcurrentDictionary<int, SizeCounters> _bySize = new();
    private Duration _success;
    private Duration _fail;
    private Duration _queue;
    private Duration _input;
    private Duration _infer;
    private Duration _output;
    private long _inferences;
    private long _executions;
    private long _last;

    /// <summary>Counts a call that has come to its end.</summary>
    public void Count(ServedCall call)
    {
        if (call.Failure is not null)
        {
            _fail.Add(call.QueueTime + call.ComputeTime);
            return;
        }

        StageTimes stages = call.Stages;
        _success.Add(call.QueueTime + call.ComputeTime);
        _queue.Add(call.QueueTime);
        _input.Add(stages.Input);
        _infer.Add(stages.Infer);
        _output.Add(stages.Output);
        Interlocked.Add(ref _inferences, call.Rows);
    }

    /// <summary>Counts an execution.</summary>
    public void Count(int rows, StageTimes stages)
    {
        Interlocked.Increment(ref _executions);
        Volatile.Write(ref _last, time.GetUtcNow().UtcTicks);
        if (!_bySize.TryGetValue(rows, out SizeCounters? counters))
        {
            if (_bySize.Count >= MostSizes)
            {
                return;
            }

            counters = _bySize.GetOrAdd(rows, static _ => new SizeCounters());
        }

        counters.Input.Add(stages.Input);
        counters.Infer.Add(stages.Infer);
        counters.Output.Add(stages.Output);
    }

    /// <summary>What they came to so far.</summary>
    public ModelStatistics Read(string name, string version)
    {
        BatchStatistic[] batches =
        [
            .. _bySize.OrderBy(pair => pair.Key).Select(pair => new BatchStatistic(
                pair.Key, pair.Value.Input.Read(), pair.Value.Infer.Read(), pair.Value.Output.Read())),
        ];
        long last = Volatile.Read(ref _last);
        return new ModelStatistics(
            name, version, last == 0 ? default : new DateTimeOffset(last, TimeSpan.Zero), Interlocked.Read(ref _inferences),
            Interlocked.Read(ref _executions), _success.Read(), _fail.Read(), _queue.Read(), _input.Read(), _infer.Read(),
            _output.Read(), batches);
    }

    private sealed class SizeCounters
    {
        public Duration Input;
        public Duration Infer;
        public Duration Output;
    }

    private struct Duration
    {
        private long _count;
        private long _ticks;

        public void Add(TimeSpan time)
        {
            Interlocked.Increment(ref _count);
            Interlocked.Add(ref _ticks, time.Ticks);
        }

        public readonly DurationStatistic Read() =>
            new(Volatile.Read(in _count), Volatile.Read(in _ticks) * TimeSpan.NanosecondsPerTick);
    }
}
