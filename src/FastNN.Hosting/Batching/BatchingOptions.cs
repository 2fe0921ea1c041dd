using System.Globalization;

namespace FastNN.Hosting;

/// <summary>How calls of one version of a model wait for one another and are computed together.</summary>
public sealed class BatchingOptions
{
    private const int MostRows = 65_536;
    private const int MostBatches = 256;

    private static readonly TimeSpan MostDelay = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How many rows (examples) are computed together at most; a call that has more is computed alone. 1 turns batching off.
    /// Default 32.
    /// </summary>
    public int MaxBatch { get; set; } = 32;

    /// <summary>
    /// How long an idle model waits for callers that came together before; a model whose callers come one at a time never waits.
    /// Default 1 ms; zero for never.
    /// </summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// How many calls may wait; further ones are refused with <see cref="InferenceFailure.QueueFull"/>. Default 1024.
    /// </summary>
    public int QueueLength { get; set; } = 1024;

    /// <summary>
    /// Within what time calls are to be answered: one that would take longer is refused at once with
    /// <see cref="InferenceFailure.QueueFull"/>, so that under too much load those that are admitted are still answered in
    /// time. Default <see cref="Timeout.InfiniteTimeSpan"/>.
    /// </summary>
    public TimeSpan Objective { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// For how much waiting one step of <see cref="ModelCall.Priority"/> stands: a call is overtaken only by those that come
    /// within this time, times the difference of their priorities, so that none starves. Default 100 ms.
    /// </summary>
    public TimeSpan PriorityStep { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Whether the answer to an example must be the same, bit for bit, whatever it is computed with. A single example is then
    /// computed as two, batches have 32 rows at most, and models of which a trial at loading shows that they are not so are
    /// computed one example at a time. Default false: answers may differ in their last bits.
    /// </summary>
    public bool BatchInvariant { get; set; }

    /// <summary>
    /// How many batches are computed at once. Default 1: a batch uses all threads of the device. On the CPU, calls that take
    /// less than 20 microseconds, which is what it costs to wait for another thread, do not wait for one another: beside these
    /// batches each is computed on its caller's thread alone, one fewer at once than there are logical processors.
    /// </summary>
    public int MaxConcurrency { get; set; } = 1;

    /// <summary>
    /// Whether a call that finds the model idle is computed on its caller's thread, before <see cref="ModelCall.RunAsync"/>
    /// returns: the least latency. With false it is always handed to the thread pool, for callers that begin several calls on
    /// one thread. Default true.
    /// </summary>
    public bool ComputeOnCaller { get; set; } = true;

    /// <summary>Refuses settings out of their ranges.</summary>
    internal void Check()
    {
        Require(MaxBatch is >= 1 and <= MostRows, nameof(MaxBatch), $"from 1 to {MostRows}", MaxBatch);
        Require(MaxDelay >= TimeSpan.Zero && MaxDelay <= MostDelay, nameof(MaxDelay), $"from zero to {MostDelay}", MaxDelay);
        Require(QueueLength >= 1, nameof(QueueLength), "of at least 1", QueueLength);
        Require(
            Objective > TimeSpan.Zero || Objective == Timeout.InfiniteTimeSpan, nameof(Objective),
            "above zero, or Timeout.InfiniteTimeSpan", Objective);
        Require(PriorityStep >= TimeSpan.Zero, nameof(PriorityStep), "of zero or more", PriorityStep);
        Require(MaxConcurrency is >= 1 and <= MostBatches, nameof(MaxConcurrency), $"from 1 to {MostBatches}", MaxConcurrency);
    }

    private static void Require(bool isValid, string name, string expected, object given)
    {
        if (!isValid)
        {
            throw new ArgumentOutOfRangeException(
                name, string.Create(CultureInfo.InvariantCulture, $"BatchingOptions: expected {name} {expected}, got {given}."));
        }
    }
}
