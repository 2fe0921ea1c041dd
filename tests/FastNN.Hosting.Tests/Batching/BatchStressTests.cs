namespace FastNN.Hosting.Tests.Batching;

/// <summary>Many callers at once, in whatever order the threads come; and what a call costs.</summary>
[NonParallelizable]
internal sealed class BatchStressTests
{
    [Test]
    public async Task Every_call_is_completed_once_with_its_own_answer([Values(1, 3)] int concurrency)
    {
        const int Callers = 12, CallsOfEach = 1500;
        var executor = new CheckingExecutor();
        var options = new BatchingOptions
        {
            MaxBatch = 6,
            QueueLength = 8,
            MaxConcurrency = concurrency,
            MaxDelay = TimeSpan.FromMilliseconds(1),
        };
        await using var queue = new BatchQueue("squares, version 1", executor, options);
        int[][] outcomes = await Task.WhenAll(Enumerable.Range(0, Callers).Select(
            caller => Task.Run(() => CallAsync(queue, caller, CallsOfEach)))).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Multiple(() =>
        {
            Assert.That(outcomes.Sum(counts => counts.Sum()), Is.EqualTo(Callers * CallsOfEach), "each ended in one way");
            Assert.That(outcomes.Sum(counts => counts[(int)Ending.Answered]), Is.GreaterThan(Callers * CallsOfEach / 10));
            Assert.That(outcomes.Sum(counts => counts[(int)Ending.Wrong]), Is.Zero);
            Assert.That(executor.Faults, Is.Zero, "no batch was too large or of mixed shapes, and no call in two at once");
            Assert.That((queue.Waiting, queue.Running), Is.EqualTo((0, 0)));
        });
        TestContext.Out.WriteLine(string.Join(", ", Enum.GetValues<Ending>().Select(
            ending => $"{ending}: {outcomes.Sum(counts => counts[(int)ending])}")));
    }

    [Test]
    public async Task A_call_that_waits_allocates_nothing()
    {
        // One thread computes while the others queue: calls wait, are gathered, and completed by the pool.
        const int Callers = 4, Rounds = 3000;
        var options = new BatchingOptions { MaxBatch = 4 };
        await using var queue = new BatchQueue("squares, version 1", new CheckingExecutor(), options);
        FakeCall[] calls = [.. Enumerable.Range(0, Callers).Select(i => new FakeCall(queue) { Input = i })];
        await RunAsync(500);
        // The whole process is measured, as the pool's threads are: the least of some runs is without what the runtime does now
        // and then.
        double least = double.PositiveInfinity;
        for (int run = 0; run < 6; run++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await RunAsync(Rounds);
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)(Rounds * Callers));
        }

        TestContext.Out.WriteLine($"{least:F3} bytes per call");
        Assert.That(least, Is.LessThan(1), "the tasks that run the callers, and nothing for each call");

        Task RunAsync(int rounds) => Task.WhenAll(calls.Select(call => Task.Run(async () =>
        {
            for (int i = 0; i < rounds; i++)
            {
                await call.RunAsync();
            }
        })));
    }

    private static async Task<int[]> CallAsync(BatchQueue queue, int caller, int count)
    {
        var random = new Random(caller);
        int[] endings = new int[Enum.GetValues<Ending>().Length];
        for (int i = 0; i < count; i++)
        {
            var call = new FakeCall(queue, rows: random.Next(1, 4), shape: random.Next(2))
            {
                Input = (caller * 100_000L) + i,
                Priority = random.Next(3),
                Deadline = random.Next(4) == 0
                    ? TimeProvider.System.GetTimestamp() + (TimeProvider.System.TimestampFrequency / random.Next(50, 20_000)) : 0,
            };
            using var stop = new CancellationTokenSource();
            bool cancels = random.Next(5) == 0;
            Task run = call.RunAsync(cancels ? stop.Token : default).AsTask();
            if (cancels)
            {
                Thread.SpinWait(random.Next(200));
                await stop.CancelAsync();
            }

            endings[(int)await EndAsync(run, call)]++;
            if (call.Completions != 1)
            {
                endings[(int)Ending.Wrong]++;
            }
        }

        return endings;
    }

    private static async Task<Ending> EndAsync(Task run, FakeCall call)
    {
        try
        {
            await run;
            return call.Square == call.Input * call.Input ? Ending.Answered : Ending.Wrong;
        }
        catch (OperationCanceledException)
        {
            return Ending.Cancelled;
        }
        catch (InferenceException exception)
        {
            return exception.Failure switch
            {
                InferenceFailure.QueueFull => Ending.Full,
                InferenceFailure.DeadlineExceeded => Ending.Late,
                InferenceFailure.Failed when call.Input % 97 == 0 => Ending.Failed,
                _ => Ending.Wrong,
            };
        }
    }

    private enum Ending
    {
        Answered,
        Cancelled,
        Full,
        Late,
        Failed,
        Wrong,
    }

    /// <summary>Squares, fails for every 97th input, and looks whether batches are as they must be. Allocates nothing.</summary>
    private sealed class CheckingExecutor : IBatchExecutor
    {
        private int _faults;

        public int Faults => _faults;

        public int MaxRows => 1000;

        public void Execute(ReadOnlySpan<QueuedCall> batch, bool isShort)
        {
            int rows = 0;
            foreach (QueuedCall one in batch)
            {
                var call = (FakeCall)one;
                rows += call.Rows;
                if (call.Shape != ((FakeCall)batch[0]).Shape || Interlocked.Exchange(ref call.Computing, 1) != 0)
                {
                    Interlocked.Increment(ref _faults);
                }
            }

            if (batch.Length > 1 && rows > 6)
            {
                Interlocked.Increment(ref _faults);
            }

            Thread.SpinWait(500);
            bool fails = false;
            foreach (QueuedCall one in batch)
            {
                var call = (FakeCall)one;
                fails |= call.Input % 97 == 0 && call.Input > 0;
                call.Square = call.Input * call.Input;
                Volatile.Write(ref call.Computing, 0);
            }

            if (fails)
            {
                throw new ArithmeticException("97");
            }
        }
    }
}
