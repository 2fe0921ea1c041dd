namespace FastNN.Hosting.Tests.Batching;

/// <summary>What makes a batch, when it is computed and on which thread.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class BatchQueueTests
{
    [Test]
    public async Task A_call_of_an_idle_model_is_computed_before_it_returns()
    {
        await using var rig = new BatchRig(options => options.MaxDelay = TimeSpan.FromMilliseconds(50));
        int thread = 0;
        rig.Executor.During = _ => thread = Environment.CurrentManagedThreadId;
        for (int i = 1; i <= 3; i++)
        {
            FakeCall call = rig.Call(i);
            Task run = call.RunAsync().AsTask();
            Assert.Multiple(() =>
            {
                Assert.That(run.IsCompletedSuccessfully, Is.True);
                Assert.That(call.Square, Is.EqualTo(i * i));
                Assert.That(thread, Is.EqualTo(Environment.CurrentManagedThreadId));
                Assert.That(call.QueueTime, Is.EqualTo(TimeSpan.Zero));
                Assert.That(call.BatchSize, Is.EqualTo(1));
            });
        }
    }

    [Test]
    public async Task A_call_is_handed_to_the_pool_where_its_thread_is_not_to_compute()
    {
        await using var rig = new BatchRig(options => options.ComputeOnCaller = false);
        int thread = 0;
        using var go = new ManualResetEventSlim();
        rig.Executor.During = _ =>
        {
            thread = Environment.CurrentManagedThreadId;
            go.Wait(5000);
        };
        FakeCall call = rig.Call(3);
        Task run = call.RunAsync().AsTask();
        Assert.That(run.IsCompleted, Is.False);
        go.Set();
        await run;
        Assert.That(call.Square, Is.EqualTo(9));
    }

    [Test]
    public async Task A_short_call_is_computed_beside_others_as_far_as_there_are_places()
    {
        await using var rig = new BatchRig(shortBatches: 2);
        rig.Teach((1, 0.01));
        FakeCall[] calls = [rig.Call(1), rig.Call(2), rig.Call(3)];
        Task[] runs = [];
        // Inside of a batch each call begins while the one before it is computed.
        rig.WhileBusy(() =>
        {
            rig.Executor.During = batch => runs = batch[0].Input == 1 ? BatchRig.Run(calls.AsSpan(1)) : runs;
            Assert.That(calls[0].RunAsync().AsTask().IsCompletedSuccessfully, Is.True);
            Assert.That(rig.Executor.WasShort, Is.True);
            Assert.That(runs.Select(run => run.IsCompletedSuccessfully), Is.EqualTo(new[] { true, true }));
        });
        Assert.That(rig.Batches(skip: 2), Is.EqualTo("1 | 2 | 3"));
    }

    [Test]
    public async Task A_short_call_waits_where_all_places_are_taken_or_others_wait()
    {
        await using var rig = new BatchRig(shortBatches: 1);
        rig.Teach((1, 0.01));
        Task[] runs = [];
        rig.WhileBusy(() =>
        {
            rig.Executor.During = batch => runs = batch[0].Input == 1 ? BatchRig.Run(rig.Call(2), rig.Call(3)) : runs;
            Assert.That(rig.Call(1).RunAsync().AsTask().IsCompletedSuccessfully, Is.True);
            Assert.That(rig.Queue.Waiting, Is.EqualTo(2), "there is a place again, but it is for those who find nobody waiting");
            Assert.That(rig.Call(4).RunAsync().AsTask().IsCompleted, Is.False);
        });
        await Task.WhenAll(runs);
        rig.Settle();
        Assert.That(rig.Batches(skip: 2), Is.EqualTo("1 | 2 3 4"));
    }

    [Test]
    public async Task A_call_stays_short_where_other_threads_take_the_processor()
    {
        await using var rig = new BatchRig(shortBatches: 1);
        for (int i = 0; i < 50; i++)
        {
            rig.Teach((1, i % 4 == 0 ? 0.01 : 0.2));
        }

        Assert.That(rig.Executor.WasShort, Is.True);
        for (int i = 0; i < 100; i++)
        {
            rig.Teach((1, 0.2));
        }

        Assert.That(rig.Executor.WasShort, Is.False, "no batch is that fast any more");
    }

    [Test]
    public async Task A_call_that_is_not_known_to_be_short_waits()
    {
        await using var rig = new BatchRig(shortBatches: 2);
        rig.Executor.During += _ => rig.Clock.Advance(TimeSpan.FromMilliseconds(0.1));
        foreach (string reason in new[] { "nothing is known yet", "0.1 ms are not short" })
        {
            Task run = Task.CompletedTask;
            rig.WhileBusy(() =>
            {
                run = rig.Call(1).RunAsync().AsTask();
                Assert.That(run.IsCompleted, Is.False, reason);
            });
            await run;
            Assert.That(rig.Executor.WasShort, Is.False, reason);
        }
    }

    [Test]
    public async Task Calls_that_come_while_a_batch_is_computed_are_the_next_one()
    {
        await using var rig = new BatchRig();
        FakeCall[] calls = [rig.Call(1), rig.Call(2), rig.Call(3)];
        Task[] runs = [];
        rig.WhileBusy(() =>
        {
            runs = BatchRig.Run(calls);
            rig.Clock.Advance(TimeSpan.FromMilliseconds(7));
            Assert.That(rig.Queue.Waiting, Is.EqualTo(3));
        });
        await Task.WhenAll(runs);
        Assert.Multiple(() =>
        {
            Assert.That(rig.Batches(), Is.EqualTo("1 2 3"));
            Assert.That(calls.Select(call => call.Square), Is.EqualTo(new[] { 1, 4, 9 }));
            Assert.That(calls.Select(call => call.BatchSize), Is.All.EqualTo(3));
            Assert.That(calls.Select(call => call.QueueTime), Is.All.EqualTo(TimeSpan.FromMilliseconds(7)));
            Assert.That(calls.Select(call => call.Completions), Is.All.EqualTo(1));
        });
    }

    [Test]
    public async Task Batches_have_no_more_rows_than_allowed_and_keep_the_order()
    {
        await using var rig = new BatchRig(options => options.MaxBatch = 4);
        Task[] runs = [];
        rig.WhileBusy(() => runs = BatchRig.Run(
            rig.Call(1), rig.Call(2, rows: 2), rig.Call(3, rows: 2), rig.Call(4), rig.Call(5, rows: 9), rig.Call(6),
            rig.Call(7, rows: 3)));
        await Task.WhenAll(runs);
        Assert.That(rig.Batches(), Is.EqualTo("1 2 | 3 4 | 5 | 6 7"), "5 has more rows than a batch and is computed alone");
    }

    [Test]
    public async Task The_model_may_allow_fewer_rows_than_the_options()
    {
        await using var rig = new BatchRig();
        rig.Executor.MaxRows = 2;
        Task[] runs = [];
        rig.WhileBusy(() => runs = BatchRig.Run(rig.Call(1), rig.Call(2), rig.Call(3)));
        await Task.WhenAll(runs);
        Assert.That(rig.Batches(), Is.EqualTo("1 2 | 3"));
        InferenceException? failure = Assert.ThrowsAsync<InferenceException>(async () => await rig.Call(4, rows: 3).RunAsync());
        Assert.That(failure!.Failure, Is.EqualTo(InferenceFailure.InvalidInput));
        Assert.That(failure.Message, Does.Contain("at most 2 rows in a call, got 3"));
    }

    [Test]
    public async Task Calls_of_other_shapes_wait_for_a_batch_of_their_own_in_order()
    {
        await using var rig = new BatchRig();
        Task[] runs = [];
        rig.WhileBusy(() => runs = BatchRig.Run(
            rig.Call(1, shape: 1), rig.Call(2, shape: 2), rig.Call(3, shape: 1), rig.Call(4, shape: 3), rig.Call(5, shape: 2)));
        await Task.WhenAll(runs);
        Assert.That(rig.Batches(), Is.EqualTo("1 3 | 2 5 | 4"));
    }

    [Test]
    public async Task A_bad_call_fails_alone()
    {
        await using var rig = new BatchRig();
        FakeCall[] calls = [rig.Call(1), rig.Call(2), rig.Call(3), rig.Call(4)];
        Task[] runs = [];
        rig.WhileBusy(() =>
        {
            runs = BatchRig.Run(calls);
            rig.Executor.During = batch =>
            {
                if (batch.Any(call => call.Input == 2))
                {
                    throw new ArithmeticException("a file name");
                }

                batch.FirstOrDefault(call => call.Input == 3)
                    ?.Fail(new InferenceException(InferenceFailure.InvalidInput, "3 is bad"));
            };
        });
        await Task.WhenAll(runs).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Multiple(() =>
        {
            Assert.That(rig.Batches(), Is.EqualTo("1 2 3 4 | 1 | 2 | 3 | 4"));
            Assert.That(calls[0].Square, Is.EqualTo(1));
            Assert.That(calls[3].Square, Is.EqualTo(16));
            Assert.That(runs[0].IsCompletedSuccessfully && runs[3].IsCompletedSuccessfully, Is.True);
            var failed = (InferenceException)runs[1].Exception!.InnerException!;
            Assert.That(failed.Failure, Is.EqualTo(InferenceFailure.Failed));
            Assert.That(failed.Message, Does.Contain("squares, version 1").And.Not.Contain("file name"));
            Assert.That(failed.InnerException, Is.TypeOf<ArithmeticException>());
            Assert.That(((InferenceException)runs[2].Exception!.InnerException!).Message, Is.EqualTo("3 is bad"));
        });
    }

    [Test]
    public async Task A_model_that_fails_fails_a_single_call_at_once()
    {
        await using var rig = new BatchRig();
        rig.Executor.During = _ => throw new InferenceException(InferenceFailure.InvalidInput, "no");
        Task run = rig.Call(1).RunAsync().AsTask();
        Assert.That(run.IsFaulted, Is.True);
        InferenceException? failure = Assert.ThrowsAsync<InferenceException>(async () => await run);
        Assert.That(failure!.Failure, Is.EqualTo(InferenceFailure.InvalidInput), "the executor's own failure is kept");
    }

    [Test]
    public async Task Several_batches_may_be_computed_at_once()
    {
        await using var rig = new BatchRig(options => (options.MaxConcurrency, options.ComputeOnCaller) = (2, false));
        using var both = new Barrier(2);
        rig.Executor.During = _ => Assert.That(both.SignalAndWait(5000), Is.True, "two batches should be under way");
        await Task.WhenAll(BatchRig.Run(rig.Call(1), rig.Call(2)));
        Assert.That(rig.Executor.Batches, Has.Length.EqualTo(2));
    }

    [Test]
    public async Task A_call_is_used_again_and_not_twice_at_once()
    {
        await using var rig = new BatchRig();
        FakeCall call = rig.Call(5);
        for (int i = 0; i < 3; i++)
        {
            await call.RunAsync();
        }

        rig.WhileBusy(() =>
        {
            Task run = call.RunAsync().AsTask();
            Assert.That(run.IsCompleted, Is.False);
            Assert.That(() => call.RunAsync(), Throws.InvalidOperationException.With.Message.Contains("under way"));
        });
        Assert.That(call.Completions, Is.EqualTo(4));
    }

    [Test]
    public void Settings_out_of_range_are_refused()
    {
        AssertRefused("MaxBatch from 1 to 65536, got 0", options => options.MaxBatch = 0);
        AssertRefused("MaxDelay from zero", options => options.MaxDelay = TimeSpan.FromMilliseconds(-1));
        AssertRefused("QueueLength of at least 1, got 0", options => options.QueueLength = 0);
        AssertRefused("Objective above zero", options => options.Objective = TimeSpan.Zero);
        AssertRefused("PriorityStep of zero or more", options => options.PriorityStep = TimeSpan.FromTicks(-1));
        AssertRefused("MaxConcurrency from 1 to 256, got 257", options => options.MaxConcurrency = 257);

        static void AssertRefused(string message, Action<BatchingOptions> set) => Assert.That(
            () => new BatchRig(set), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(message));
    }
}
