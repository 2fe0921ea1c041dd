using Microsoft.Extensions.Time.Testing;

namespace FastNN.Hosting.Tests.Batching;

/// <summary>
/// A queue on a clock that stands still unless it is moved, before a model that is kept busy as long as a test wants.
/// </summary>
internal sealed class BatchRig : IAsyncDisposable
{
    private Action? _busy;

    public BatchRig(Action<BatchingOptions>? set = null, int shortBatches = 0)
    {
        Executor = new FakeExecutor { ShortBatches = shortBatches };
        var options = new BatchingOptions { MaxDelay = TimeSpan.Zero };
        set?.Invoke(options);
        Queue = new BatchQueue("squares, version 1", Executor, options, Clock);
        Executor.During = _ => Interlocked.Exchange(ref _busy, null)?.Invoke();
    }

    public FakeTimeProvider Clock { get; } = new();

    public FakeExecutor Executor { get; }

    public BatchQueue Queue { get; }

    public FakeCall Call(long input, int rows = 1, int shape = 0, int priority = 0, TimeSpan? within = null) =>
        new(Queue, rows, shape)
        {
            Input = input,
            Priority = priority,
            Deadline = within is { } time ? After(time) : 0,
        };

    /// <summary>A point in time, as a call's deadline has it.</summary>
    public long After(TimeSpan time) => Clock.GetTimestamp() + (long)(time.TotalSeconds * Clock.TimestampFrequency);

    /// <summary>Begins to run calls, in order.</summary>
    public static Task[] Run(params ReadOnlySpan<FakeCall> calls)
    {
        var tasks = new List<Task>();
        foreach (FakeCall call in calls)
        {
            tasks.Add(call.RunAsync().AsTask());
        }

        return [.. tasks];
    }

    /// <summary>Does something while the model computes a call with the input 0; returns when the queue is idle again.</summary>
    public void WhileBusy(Action action)
    {
        Exception? failure = null;
        Volatile.Write(ref _busy, () =>
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        Call(0).RunAsync().AsTask().Wait();
        Settle();
        if (failure is not null)
        {
            throw new InvalidOperationException("While the model was busy: " + failure.Message, failure);
        }
    }

    /// <summary>Lets the model take so long for batches of so many rows that the queue knows it.</summary>
    public void Teach(params ReadOnlySpan<(int Rows, double Milliseconds)> batches)
    {
        foreach ((int rows, double milliseconds) in batches)
        {
            Volatile.Write(ref _busy, () => Clock.Advance(TimeSpan.FromMilliseconds(milliseconds)));
            Call(0, rows).RunAsync().AsTask().Wait();
        }
    }

    /// <summary>Waits until nothing is computed.</summary>
    public void Settle() => Assert.That(
        () => Queue.Running, Is.Zero.After(5000, 1), "the queue should come to rest");

    /// <summary>The batches that were computed behind the first <paramref name="skip"/>.</summary>
    public string Batches(int skip = 1) =>
        string.Join(" | ", Executor.Batches.Skip(skip).Select(batch => string.Join(' ', batch)));

    public async ValueTask DisposeAsync() => await Queue.DisposeAsync();
}
