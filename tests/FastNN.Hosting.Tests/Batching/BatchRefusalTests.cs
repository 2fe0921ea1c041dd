namespace FastNN.Hosting.Tests.Batching;

/// <summary>Deadlines, full queues, cancellation, priorities and the end.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class BatchRefusalTests
{
    [Test]
    public async Task A_call_that_cannot_be_done_in_time_is_refused_at_once()
    {
        await using var rig = new BatchRig(options => options.MaxBatch = 1);
        rig.Teach((1, 10), (1, 10));
        Task[] runs = [];
        rig.WhileBusy(() =>
        {
            runs = BatchRig.Run(
                rig.Call(1), rig.Call(2, within: TimeSpan.FromMilliseconds(20)),
                rig.Call(3, within: TimeSpan.FromMilliseconds(60)));
            Assert.That(runs.Select(run => run.IsFaulted), Is.EqualTo(new[] { false, true, false }));
        });
        Assert.That(Reason(runs[1]), Is.EqualTo(InferenceFailure.DeadlineExceeded));
        await Task.WhenAll(runs[0], runs[2]);
        Assert.That(rig.Batches(skip: 3), Is.EqualTo("1 | 3"));
    }

    [Test]
    public async Task A_deadline_that_is_over_is_refused_and_an_answer_behind_it_is_none()
    {
        await using var rig = new BatchRig();
        Task over = rig.Call(1, within: TimeSpan.FromMilliseconds(-1)).RunAsync().AsTask();
        Assert.That(Reason(over), Is.EqualTo(InferenceFailure.DeadlineExceeded));
        rig.Executor.During = _ => rig.Clock.Advance(TimeSpan.FromMilliseconds(10));
        Task late = rig.Call(2, within: TimeSpan.FromMilliseconds(5)).RunAsync().AsTask();
        Assert.That(Reason(late), Is.EqualTo(InferenceFailure.DeadlineExceeded));
        Assert.That(rig.Batches(skip: 0), Is.EqualTo("2"));
    }

    [Test]
    public async Task An_old_estimate_refuses_nobody()
    {
        await using var rig = new BatchRig();
        rig.Teach((1, 100));
        Task refused = rig.Call(1, within: TimeSpan.FromMilliseconds(50)).RunAsync().AsTask();
        Assert.That(Reason(refused), Is.EqualTo(InferenceFailure.DeadlineExceeded));
        rig.Clock.Advance(TimeSpan.FromSeconds(2));
        await rig.Call(2, within: TimeSpan.FromMilliseconds(50)).RunAsync();
    }

    [Test]
    public async Task A_full_queue_refuses_with_a_hint_and_makes_room_for_a_higher_priority()
    {
        await using var rig = new BatchRig(options => options.QueueLength = 2);
        rig.Teach((1, 10));
        Task[] runs = [];
        rig.WhileBusy(() =>
        {
            runs = BatchRig.Run(rig.Call(1), rig.Call(2), rig.Call(3), rig.Call(4, priority: 1));
            Assert.That(() => runs[1].IsFaulted, Is.True.After(5000, 1), "its place was taken");
            Assert.That(runs[2].IsFaulted, Is.True);
        });
        var failure = (InferenceException)runs[2].Exception!.InnerException!;
        Assert.That(failure.Failure, Is.EqualTo(InferenceFailure.QueueFull));
        Assert.That(failure.RetryAfter, Is.EqualTo(TimeSpan.FromMilliseconds(10)));
        Assert.That(Reason(runs[1]), Is.EqualTo(InferenceFailure.QueueFull));
        await Task.WhenAll(runs[0], runs[3]);
        Assert.That(rig.Batches(skip: 2), Is.EqualTo("4 1"));
    }

    [Test]
    public async Task A_higher_priority_goes_first_but_not_before_those_that_waited_long()
    {
        await using var rig = new BatchRig(options => options.MaxBatch = 1);
        Task[] runs = [];
        rig.WhileBusy(() =>
        {
            Task[] early = BatchRig.Run(rig.Call(1));
            rig.Clock.Advance(TimeSpan.FromMilliseconds(99));
            Task[] soon = BatchRig.Run(rig.Call(2, priority: 1));
            rig.Clock.Advance(TimeSpan.FromMilliseconds(2));
            runs = [.. early, .. soon, .. BatchRig.Run(rig.Call(3, priority: 1), rig.Call(4), rig.Call(5, priority: 9))];
        });
        await Task.WhenAll(runs);
        Assert.That(rig.Batches(), Is.EqualTo("5 | 2 | 1 | 3 | 4"), "a step of priority is worth 100 ms");
    }

    [Test]
    public async Task A_cancelled_call_leaves_the_queue()
    {
        await using var rig = new BatchRig();
        using var stop = new CancellationTokenSource();
        FakeCall call = rig.Call(1);
        Task[] runs = [];
        rig.WhileBusy(() =>
        {
            runs = [call.RunAsync(stop.Token).AsTask(), .. BatchRig.Run(rig.Call(2))];
            stop.Cancel();
            Assert.That(rig.Queue.Waiting, Is.EqualTo(1));
            Assert.That(() => runs[0].IsCanceled, Is.True.After(5000, 1));
        });
        await runs[1];
        Assert.That(rig.Batches(), Is.EqualTo("2"));
        Assert.That(call.RunAsync(stop.Token).AsTask().IsCanceled, Is.True, "cancelled before");
        await call.RunAsync();
        Assert.That(call.Square, Is.EqualTo(1));
    }

    [Test]
    public async Task Draining_computes_what_waits_and_refuses_what_comes()
    {
        await using var rig = new BatchRig(options => options.MaxBatch = 2);
        Task[] runs = [];
        Task drained = Task.CompletedTask;
        rig.WhileBusy(() =>
        {
            Task[] waiting = BatchRig.Run(rig.Call(1), rig.Call(2), rig.Call(3));
            drained = rig.Queue.DrainAsync();
            Assert.That(drained.IsCompleted, Is.False);
            runs = [.. waiting, .. BatchRig.Run(rig.Call(4))];
        });
        await drained;
        await Task.WhenAll(runs[..3]);
        Assert.That(Reason(runs[3]), Is.EqualTo(InferenceFailure.ShuttingDown));
        Assert.That(rig.Batches(), Is.EqualTo("1 2 | 3"));
    }

    [Test]
    public async Task Draining_that_is_cancelled_refuses_what_waits()
    {
        await using var rig = new BatchRig();
        Task[] runs = [];
        Task drained = Task.CompletedTask;
        rig.WhileBusy(() =>
        {
            runs = BatchRig.Run(rig.Call(1), rig.Call(2));
            drained = rig.Queue.DrainAsync(new CancellationToken(canceled: true));
            Assert.That(drained.IsCompleted, Is.False, "a batch is being computed");
        });
        await drained;
        Assert.That(runs.Select(Reason), Is.All.EqualTo(InferenceFailure.ShuttingDown));
    }

    private static InferenceFailure Reason(Task run) => ((InferenceException)run.Exception!.InnerException!).Failure;
}
