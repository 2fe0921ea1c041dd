using FastNN.Cpu;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

internal sealed unsafe class WorkerPoolTests
{
    private long _blocks;

    [SetUp]
    public void CountBlocks() => _blocks = HostMemory.LiveBlocks;

    [TearDown]
    public void EveryBlockCameBack() => Assert.That(HostMemory.LiveBlocks, Is.EqualTo(_blocks));

    [Test]
    public void Dispose_waits_for_those_who_sit_and_refuses_those_who_come()
    {
        var pool = new WorkerPool(2);
        using var seated = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        var caller = new Thread(() =>
        {
            using WorkerPool.Seat seat = pool.Enter();
            Assert.That(pool.Dispose, Throws.InvalidOperationException, "it would wait for itself");
            seated.Set();
            leave.Wait();
        });
        caller.Start();
        seated.Wait();
        var disposer = new Thread(pool.Dispose);
        disposer.Start();
        Assert.That(disposer.Join(50), Is.False, "the scratch memory of the one who sits is in use");
        Assert.That(() => pool.Enter().Dispose(), Throws.TypeOf<ObjectDisposedException>());
        leave.Set();
        disposer.Join();
        caller.Join();
    }

    [Test]
    public void EveryTaskRunsOnce([Values(1, 2, 3, 16)] int threads, [Values(0, 1, 2, 7, 1000)] int tasks)
    {
        using var pool = new WorkerPool(threads);
        for (int repeat = 0; repeat < 50; repeat++)
        {
            var body = new CountBody { Counts = new int[tasks], Threads = threads };
            pool.Run(tasks, ref body);
            Assert.That(body.Counts, Is.All.EqualTo(1));
        }
    }

    [Test]
    public void Who_sits_alone_leaves_the_workers_to_others()
    {
        using var pool = new WorkerPool(2);
        using (WorkerPool.Seat seat = pool.EnterAlone())
        {
            Assert.That(seat.Worker, Is.GreaterThanOrEqualTo(pool.Threads));
            var body = new InnerBody { Counts = new int[100], Worker = seat.Worker };
            pool.Run(100, ref body);
            Assert.That(body.Counts, Is.All.EqualTo(1));
            Assert.That(SeatOfAnotherThread(pool), Is.Zero);
        }

        using WorkerPool.Seat next = pool.Enter();
        Assert.That(next.Worker, Is.Zero);
        default(WorkerPool.Seat).Dispose();
    }

    [Test]
    public void RegionsAfterAPauseRunAsWell()
    {
        using var pool = new WorkerPool(2);
        for (int repeat = 0; repeat < 20; repeat++)
        {
            var body = new CountBody { Counts = new int[5], Threads = 2 };
            pool.Run(5, ref body);
            Assert.That(body.Counts, Is.All.EqualTo(1));
            Thread.Sleep(repeat % 3);
        }
    }

    [Test]
    public void TheBodysFieldsComeBack()
    {
        using var pool = new WorkerPool(2);
        var body = new SumBody();
        pool.Run(100, ref body);
        Assert.That(body.Sum, Is.EqualTo(4950));
    }

    [Test]
    public void AnExceptionReachesTheCallerAndThePoolLivesOn([Values(1, 2, 4)] int threads)
    {
        using var pool = new WorkerPool(threads);
        for (int repeat = 0; repeat < 20; repeat++)
        {
            Assert.That(
                () =>
                {
                    var body = new ThrowBody { At = repeat };
                    pool.Run(64, ref body);
                },
                Throws.InvalidOperationException.With.Message.EqualTo($"task {repeat}"));
            var after = new SumBody();
            pool.Run(100, ref after);
            Assert.That(after.Sum, Is.EqualTo(4950));
        }
    }

    [Test]
    public void ARegionInARegionRunsInline([Values(1, 2, 3)] int threads)
    {
        using var pool = new WorkerPool(threads);
        var body = new NestedBody { Pool = pool, Counts = new int[8 * 5] };
        pool.Run(8, ref body);
        Assert.That(body.Counts, Is.All.EqualTo(1));
    }

    [Test]
    public void ASeatIsKeptOverRegionsAndGivenBack()
    {
        using var pool = new WorkerPool(2);
        using (WorkerPool.Seat seat = pool.Enter())
        {
            using WorkerPool.Seat again = pool.Enter();
            Assert.That(seat.Worker, Is.Zero);
            Assert.That(again.Worker, Is.Zero);
            Assert.That(SeatOfAnotherThread(pool), Is.GreaterThanOrEqualTo(pool.Threads));
        }

        using WorkerPool.Seat later = pool.Enter();
        Assert.That(later.Worker, Is.Zero);
    }

    [Test]
    public void PoolsCanBeNested()
    {
        using var outer = new WorkerPool(2);
        using var inner = new WorkerPool(2);
        using WorkerPool.Seat seat = outer.Enter();
        var body = new SumBody();
        inner.Run(100, ref body);
        outer.Run(100, ref body);
        Assert.That(body.Sum, Is.EqualTo(2 * 4950));
    }

    [Test]
    public void ConcurrentCallersHaveScratchOfTheirOwn()
    {
        using var pool = new WorkerPool(2);
        int wrong = 0;
        var threads = new Thread[6];
        for (int t = 0; t < threads.Length; t++)
        {
            int mark = t + 1;
            threads[t] = new Thread(() =>
            {
                for (int repeat = 0; repeat < 200; repeat++)
                {
                    var body = new ScratchBody { Pool = pool, Mark = mark };
                    pool.Run(9, ref body);
                    Interlocked.Add(ref wrong, body.Wrong);
                }
            });
            threads[t].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Assert.That(wrong, Is.Zero);
    }

    [Test]
    public void NothingIsAllocatedPerRegion()
    {
        using var pool = new WorkerPool(2);
        var body = new SumBody();
        for (int i = 0; i < 100; i++)
        {
            pool.Run(10, ref body);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            pool.Run(10, ref body);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void ADisposedPoolRefusesWork()
    {
        var pool = new WorkerPool(3);
        pool.Dispose();
        pool.Dispose();
        Assert.That(
            () =>
            {
                var body = new SumBody();
                pool.Run(10, ref body);
            },
            Throws.TypeOf<ObjectDisposedException>());
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(1000)]
    public void ImpossibleThreadCountsAreRefused(int threads) =>
        Assert.That(() => new WorkerPool(threads), Throws.TypeOf<ArgumentOutOfRangeException>());

    private static int SeatOfAnotherThread(WorkerPool pool)
    {
        int worker = -1;
        var thread = new Thread(() =>
        {
            using WorkerPool.Seat seat = pool.Enter();
            worker = seat.Worker;
        });
        thread.Start();
        thread.Join();
        return worker;
    }

    private struct CountBody : IParallelBody
    {
        public int[] Counts;
        public int Threads;

        public readonly void Invoke(int task, int worker)
        {
            if (worker < Threads)
            {
                Interlocked.Increment(ref Counts[task]);
            }
        }
    }

    private struct SumBody : IParallelBody
    {
        public int Sum;

        public void Invoke(int task, int worker) => Interlocked.Add(ref Sum, task);
    }

    private struct ThrowBody : IParallelBody
    {
        public int At;

        public readonly void Invoke(int task, int worker)
        {
            if (task == At)
            {
                throw new InvalidOperationException($"task {task}");
            }
        }
    }

    private struct NestedBody : IParallelBody
    {
        public WorkerPool Pool;
        public int[] Counts;

        public readonly void Invoke(int task, int worker)
        {
            var inner = new InnerBody { Counts = Counts, First = task * 5, Worker = worker };
            Pool.Run(5, ref inner);
        }
    }

    private struct InnerBody : IParallelBody
    {
        public int[] Counts;
        public int First;
        public int Worker;

        public readonly void Invoke(int task, int worker)
        {
            if (worker == Worker)
            {
                Interlocked.Increment(ref Counts[First + task]);
            }
        }
    }

    private struct ScratchBody : IParallelBody
    {
        public WorkerPool Pool;
        public int Mark;
        public int Wrong;

        public void Invoke(int task, int worker)
        {
            int* scratch = (int*)Pool.Scratch(worker);
            int own = (Mark * 100) + task;
            for (int i = 0; i < 64; i++)
            {
                scratch[i] = own;
            }

            Thread.Yield();
            for (int i = 0; i < 64; i++)
            {
                if (scratch[i] != own)
                {
                    Interlocked.Increment(ref Wrong);
                }
            }
        }
    }
}
