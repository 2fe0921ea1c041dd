namespace FastNN.Hosting.Tests.Batching;

/// <summary>When an idle model waits for callers to come back, and when it does not.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class BatchDelayTests
{
    [Test]
    public async Task Callers_that_came_together_are_computed_together_again()
    {
        await using BatchRig rig = Together(3);
        Task[] runs = BatchRig.Run(rig.Call(11), rig.Call(12));
        Assert.That(rig.Queue.Running, Is.Zero);
        Assert.That(rig.Queue.Waiting, Is.EqualTo(2));

        FakeCall last = rig.Call(13);
        Assert.That(last.RunAsync().AsTask().IsCompletedSuccessfully, Is.True, "the last one computes the batch on its thread");
        await Task.WhenAll(runs);
        Assert.That(rig.Batches(skip: 22), Is.EqualTo("11 12 13"));
    }

    [Test]
    public async Task Nobody_waits_longer_than_the_delay()
    {
        await using BatchRig rig = Together(3);
        Task[] runs = BatchRig.Run(rig.Call(11), rig.Call(12));
        rig.Clock.Advance(TimeSpan.FromMilliseconds(4));
        Assert.That(runs.Any(run => run.IsCompleted), Is.False);
        rig.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await Task.WhenAll(runs);
        Assert.That(rig.Batches(skip: 22), Is.EqualTo("11 12"));

        // Two are expected back now, and when one alone comes, nobody.
        Task one = rig.Call(13).RunAsync().AsTask();
        Assert.That(one.IsCompleted, Is.False);
        rig.Clock.Advance(TimeSpan.FromMilliseconds(5));
        await one;
        Assert.That(rig.Call(14).RunAsync().AsTask().IsCompleted, Is.True);
    }

    [Test]
    public async Task Nobody_is_expected_when_the_delay_is_over()
    {
        await using BatchRig rig = Together(3);
        rig.Clock.Advance(TimeSpan.FromMilliseconds(5));
        Assert.That(rig.Call(11).RunAsync().AsTask().IsCompleted, Is.True);
    }

    [Test]
    public async Task A_full_batch_waits_for_nobody()
    {
        await using BatchRig rig = Together(6, maxBatch: 2);
        Task first = rig.Call(11).RunAsync().AsTask();
        Assert.That(first.IsCompleted, Is.False);
        Assert.That(rig.Call(12).RunAsync().AsTask().IsCompleted, Is.True);
        await first;
    }

    [Test]
    public async Task A_call_without_the_time_to_wait_is_computed_at_once()
    {
        await using BatchRig rig = Together(3);
        Task patient = rig.Call(11).RunAsync().AsTask();
        Assert.That(patient.IsCompleted, Is.False);
        Assert.That(rig.Call(12, within: TimeSpan.FromMilliseconds(13)).RunAsync().AsTask().IsCompletedSuccessfully, Is.True);
        await patient;
        Assert.That(rig.Batches(skip: 22), Is.EqualTo("11 12"));
    }

    [Test]
    public async Task Calls_that_came_while_a_batch_was_computed_wait_only_if_they_have_the_time()
    {
        await using BatchRig rig = Together(3);
        rig.Clock.Advance(TimeSpan.FromMilliseconds(5));
        Task urgent = Task.CompletedTask;
        rig.WhileBusy(() =>
        {
            urgent = rig.Call(11, within: TimeSpan.FromMilliseconds(23)).RunAsync().AsTask();
            rig.Clock.Advance(TimeSpan.FromMilliseconds(10));
        });
        Assert.That(
            () => urgent.IsCompletedSuccessfully, Is.True.After(5000, 1),
            "it has 13 ms for a batch of 10 ms, and no 5 ms to wait");
        Assert.That(rig.Batches(skip: 23), Is.EqualTo("11"));
    }

    [Test]
    public async Task An_idle_model_waits_no_longer_than_a_call_takes()
    {
        // A model of 0.05 ms: a wait would cost more than it can save.
        await using BatchRig rig = Together(3, milliseconds: 0.05);
        Assert.That(rig.Call(11).RunAsync().AsTask().IsCompleted, Is.True);
    }

    /// <summary>A model that takes 10 ms for whatever comes, and has just answered so many callers at once.</summary>
    private static BatchRig Together(int callers, int maxBatch = 32, double milliseconds = 10)
    {
        var rig = new BatchRig(options => (options.MaxDelay, options.MaxBatch) = (TimeSpan.FromMilliseconds(5), maxBatch));
        for (int i = 0; i < 20; i++)
        {
            rig.Teach((1, milliseconds));
        }

        FakeCall[] calls = [.. Enumerable.Range(1, callers).Select(i => rig.Call(i))];
        rig.WhileBusy(() =>
        {
            BatchRig.Run(calls);
            rig.Clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
        });

        // The first caller is expected back, and does not come.
        if (rig.Queue.Waiting > 0)
        {
            Action<FakeCall[]>? during = rig.Executor.During;
            rig.Executor.During = _ =>
            {
                rig.Executor.During = during;
                rig.Clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
            };
            rig.Clock.Advance(TimeSpan.FromMilliseconds(5));
        }

        rig.Settle();
        return rig;
    }
}
