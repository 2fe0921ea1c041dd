using Microsoft.Extensions.Time.Testing;

namespace FastNN.Hosting.Tests.Batching;

/// <summary>
/// What a queue makes of twice the load that its model can bear: a simulation on a clock of its own, which gives the same figures
/// each time.
/// </summary>
[Parallelizable(ParallelScope.All)]
internal sealed class BatchOverloadTests
{
    private const double ObjectiveMilliseconds = 30;

    // A batch of 16 takes 6 ms: the model can do 2,667 rows in a second.
    private const int MaxBatch = 16;
    private const double MillisecondsPerBatch = 2;
    private const double MillisecondsPerRow = 0.25;
    private const double Capacity = MaxBatch / (MillisecondsPerBatch + (MaxBatch * MillisecondsPerRow)) * 1000;

    [Test]
    public void At_twice_the_capacity_the_goodput_stays_and_those_admitted_are_in_time(
        [Values] bool objective, [Values(1, 4)] int mostRows)
    {
        Outcome outcome = Simulate(2 * Capacity, seconds: 4, objective, mostRows);
        TestContext.Out.WriteLine(outcome);
        Assert.Multiple(() =>
        {
            Assert.That(outcome.Goodput, Is.GreaterThanOrEqualTo(0.95 * Capacity));
            Assert.That(outcome.P99, Is.LessThanOrEqualTo(ObjectiveMilliseconds));
            Assert.That(outcome.LateShare, Is.LessThanOrEqualTo(0.01), "those admitted and not answered in time");
            Assert.That(outcome.RefusedAtOnce, Is.GreaterThan(0.3 * outcome.Offered), "the others are told at once");
            Assert.That(outcome.Unanswered, Is.Zero);
        });
    }

    [Test]
    public void Below_the_capacity_nobody_is_refused([Values] bool objective)
    {
        Outcome outcome = Simulate(0.7 * Capacity, seconds: 4, objective, mostRows: 1);
        TestContext.Out.WriteLine(outcome);
        Assert.That(outcome.Answered, Is.EqualTo(outcome.Offered));
        Assert.That(outcome.P99, Is.LessThanOrEqualTo(ObjectiveMilliseconds));
    }

    [Test]
    public void A_burst_of_calls_leaves_no_backlog_behind()
    {
        // Ten times the capacity for a tenth of a second, then half of it.
        Outcome outcome = Simulate(0.5 * Capacity, seconds: 2, objective: false, mostRows: 1, burst: 10 * Capacity);
        TestContext.Out.WriteLine(outcome);
        Assert.That(outcome.LateShare, Is.LessThanOrEqualTo(0.01));
        Assert.That(outcome.Answered, Is.GreaterThan(Capacity), "the half load of 1.9 s, and what can be borne of the burst");
    }

    /// <summary>Poisson arrivals in front of a model whose times are known.</summary>
    private static Outcome Simulate(double rowsPerSecond, double seconds, bool objective, int mostRows, double burst = 0)
    {
        var clock = new FakeTimeProvider();
        var model = new SimulatedModel(clock);
        var options = new BatchingOptions { MaxBatch = MaxBatch, QueueLength = 100_000 };
        if (objective)
        {
            options.Objective = TimeSpan.FromMilliseconds(ObjectiveMilliseconds);
        }

        var queue = new BatchQueue("squares, version 1", model, options, clock);
        var random = new Random(11);
        double time = 0, meanRows = (1 + mostRows) / 2.0;
        long start = clock.GetTimestamp();
        while (time < seconds)
        {
            double rate = (burst > 0 && time < 0.1 ? burst : rowsPerSecond) / meanRows;
            time += -Math.Log(1 - random.NextDouble()) / rate;
            int rows = random.Next(1, mostRows + 1);
            model.Arrivals.Enqueue(new Arrival(queue, clock, start + Ticks(clock, time), rows, hasDeadline: !objective));
        }

        List<Arrival> all = [.. model.Arrivals];
        model.Run(queue);
        double[] times = [.. all.Where(one => one.IsAdmitted).Select(one => one.Milliseconds).Order()];
        Arrival[] inTime = [.. all.Where(one => one.IsAnswered && one.Milliseconds <= ObjectiveMilliseconds)];
        return new Outcome(
            all.Count, all.Count(one => one.IsAnswered), all.Count(one => !one.IsAdmitted), all.Count(one => !one.IsDone),
            inTime.Sum(one => one.Rows) / time, times[(int)(0.99 * (times.Length - 1))],
            1 - ((double)inTime.Length / times.Length));
    }

    private static long Ticks(TimeProvider clock, double seconds) => (long)(seconds * clock.TimestampFrequency);

    /// <summary>Figures of a run.</summary>
    /// <param name="Offered">Calls that came.</param>
    /// <param name="Answered">Those with an answer.</param>
    /// <param name="RefusedAtOnce">Those refused as they came.</param>
    /// <param name="Unanswered">Those that never completed.</param>
    /// <param name="Goodput">Rows per second that were answered in time.</param>
    /// <param name="P99">Milliseconds within which 99 of 100 that were admitted were completed.</param>
    /// <param name="LateShare">How many of those admitted were not answered in time.</param>
    private sealed record Outcome(
        int Offered, int Answered, int RefusedAtOnce, int Unanswered, double Goodput, double P99, double LateShare);

    /// <summary>A caller who sends one call.</summary>
    private sealed class Arrival : QueuedCall
    {
        private readonly BatchQueue _queue;
        private readonly TimeProvider _clock;
        private bool _isEnqueuing;

        public Arrival(BatchQueue queue, TimeProvider clock, long at, int rows, bool hasDeadline)
        {
            (_queue, _clock, At, Rows) = (queue, clock, at, rows);
            Deadline = hasDeadline ? at + Ticks(clock, ObjectiveMilliseconds / 1000) : 0;
        }

        public long At { get; }

        public override int Rows { get; }

        public override string Version => "1";

        public bool IsDone { get; private set; }

        public bool IsAnswered => IsDone && Failure is null;

        public bool IsAdmitted { get; private set; } = true;

        public double Milliseconds { get; private set; }

        public override bool Joins(QueuedCall other) => true;

        public void Send()
        {
            _isEnqueuing = true;
            _ = RunAsync().AsTask();
            _isEnqueuing = false;
        }

        public override ValueTask RunAsync(CancellationToken cancellationToken = default) => RunIn(_queue, cancellationToken);

        public override Span<byte> SetInput(int index, ReadOnlySpan<int> dimensions, int bytes = -1) =>
            throw new NotSupportedException();

        public override ReadOnlySpan<int> OutputDimensions(int index) => throw new NotSupportedException();

        public override ReadOnlySpan<byte> Output(int index) => throw new NotSupportedException();

        protected override void OnCompleted()
        {
            IsDone = true;
            IsAdmitted = Failure is null || !_isEnqueuing;
            Milliseconds = _clock.GetElapsedTime(At).TotalMilliseconds;
        }

        protected override void Return()
        {
        }
    }

    /// <summary>
    /// Computes by moving the clock, and lets the callers come whose time that is: one thread at a time does all that happens.
    /// </summary>
    private sealed class SimulatedModel(FakeTimeProvider clock) : IBatchExecutor
    {
        public Queue<Arrival> Arrivals { get; } = new();

        public int MaxRows => 1000;

        public void Execute(ReadOnlySpan<QueuedCall> batch, bool isShort)
        {
            int rows = 0;
            foreach (QueuedCall call in batch)
            {
                rows += call.Rows;
            }

            long end = clock.GetTimestamp() + Ticks(clock, (MillisecondsPerBatch + (rows * MillisecondsPerRow)) / 1000);
            while (Arrivals.TryPeek(out Arrival? next) && next.At <= end)
            {
                Arrivals.Dequeue();
                MoveTo(next.At);
                next.Send();
            }

            MoveTo(end);
        }

        /// <summary>Lets all come; returns when the queue is empty.</summary>
        public void Run(BatchQueue queue)
        {
            while (true)
            {
                SpinWait.SpinUntil(() => queue.Running == 0);
                if (Arrivals.TryDequeue(out Arrival? next))
                {
                    MoveTo(next.At);
                    SpinWait.SpinUntil(() => queue.Running == 0);
                    next.Send();
                }
                else if (queue.Waiting > 0)
                {
                    clock.Advance(TimeSpan.FromMilliseconds(1));
                }
                else
                {
                    return;
                }
            }
        }

        private void MoveTo(long timestamp)
        {
            long ticks = timestamp - clock.GetTimestamp();
            if (ticks > 0)
            {
                clock.Advance(TimeSpan.FromSeconds((double)ticks / clock.TimestampFrequency));
            }
        }
    }
}
