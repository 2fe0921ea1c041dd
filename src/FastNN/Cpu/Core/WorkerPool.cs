using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>The body of a parallel region: called once for each task, by any worker.</summary>
internal interface IParallelBody
{
    /// <param name="task">0 to tasks - 1, each once.</param>
    /// <param name="worker">Whose <see cref="WorkerPool.Scratch"/> may be used; below <see cref="WorkerPool.MaxSeats"/>.</param>
    void Invoke(int task, int worker);
}

/// <summary>
/// Persistent threads that run the tasks of a region together with the caller. A region starts in about a microsecond when
/// the workers are awake: they spin for a fifth of a millisecond after each region and park only then.
///
/// Tasks are dealt out by <see cref="TaskRanges"/>: the same part of them goes to the same thread in every region.
///
/// A worker joins a region while it is open and the caller, once all tasks are claimed, closes it and waits only for those
/// that joined. So a worker that the system has not scheduled yet (more threads than processors) delays nobody.
///
/// Who calls takes a seat: seat 0 owns the workers. A caller that finds it taken by another thread, or that is itself the
/// body of a region, runs its tasks alone and at once, in a seat (with scratch memory) of its own.
/// </summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    /// <summary>Bytes of scratch memory per seat; physical memory is taken only where it is touched.</summary>
    public const int ScratchBytes = 4 << 20;

    /// <summary>The most seats, threads of the pool and concurrent callers together: worker numbers are below this.</summary>
    public const int MaxSeats = 256;

    private const long Open = 1L << 32;
    private const long Generation = 1L << 33;
    private const long Active = Open - 1;

    // Long enough to bridge the serial pieces between two regions (waking a parked worker takes as long as a short operator: with
    // 40 us an LSTM of one sequence took 731 us on two threads, with these 530), short enough not to steal a shared core.
    private const double SpinMicroseconds = 200;

    [ThreadStatic]
    private static Place current;

    private readonly Thread[] threads;
    private readonly SemaphoreSlim[] bells;
    private readonly int[] seats = new int[MaxSeats];
    private readonly nint[] scratch = new nint[MaxSeats];
    private readonly TaskRanges ranges;
    private readonly long spinTicks = (long)(SpinMicroseconds * 1e-6 * System.Diagnostics.Stopwatch.Frequency);

    private Shared shared;
    private delegate*<WorkerPool, void*, int, void> drain;
    private void* body;
    private Exception? failure;
    private int stopping;

    /// <param name="threads">Workers including the caller, 1 to 128.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, MaxSeats / 2);
        Threads = threads;
        ranges = new TaskRanges(threads);
        this.threads = new Thread[threads - 1];
        bells = new SemaphoreSlim[threads - 1];
        for (int i = 0; i < threads; i++)
        {
            seats[i] = 1;
            scratch[i] = (nint)HostMemory.Allocate(ScratchBytes, clear: false);
        }

        seats[0] = 0;
        for (int i = 0; i < threads - 1; i++)
        {
            int worker = i + 1;
            bells[i] = new SemaphoreSlim(0);
            this.threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"FastNN worker {worker}" };
            this.threads[i].Start();
        }
    }

    /// <summary>Workers including the caller.</summary>
    public int Threads { get; }

    private bool IsStopping => Volatile.Read(ref stopping) != 0;

    /// <summary>
    /// Scratch memory of one worker, aligned to 64 bytes. Valid inside a region, or between <see cref="Enter"/> and its end.
    /// Matrix products use it for packing: a body that keeps something in it must not call one.
    /// </summary>
    public byte* Scratch(int worker) => (byte*)scratch[worker];

    /// <summary>
    /// Takes a seat for several regions in a row. Where the thread has one already, that is the one. To be disposed on the
    /// same thread.
    /// </summary>
    public Seat Enter() => TakeSeat(first: 0);

    /// <summary>As <see cref="Enter"/>, but never the seat that owns the workers: regions run on this thread alone.</summary>
    public Seat EnterAlone() => TakeSeat(first: Threads);

    private Seat TakeSeat(int first)
    {
        if (current.Pool == this)
        {
            return new Seat(this, current.Worker, current, nested: true);
        }

        ObjectDisposedException.ThrowIf(IsStopping, this);
        Place outer = current;
        int worker = Sit(first);
        current = new Place { Pool = this, Worker = worker };
        return new Seat(this, worker, outer, nested: false);
    }

    /// <summary>
    /// Runs <paramref name="body"/> for tasks 0 to <paramref name="tasks"/> - 1 and returns when all are done. Changes that
    /// the body makes to its own fields are seen in <paramref name="body"/> afterwards.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The pool is disposed.</exception>
    public void Run<TBody>(int tasks, ref TBody body)
        where TBody : struct, IParallelBody
    {
        using Seat seat = Enter();
        if (tasks <= 1 || seat.Worker != 0 || Threads == 1 || current.Inside)
        {
            bool outer = current.Inside;
            current.Inside = true;
            try
            {
                for (int task = 0; task < tasks; task++)
                {
                    body.Invoke(task, seat.Worker);
                }
            }
            finally
            {
                current.Inside = outer;
            }

            return;
        }

        // A copy on this stack: the caller's may lie in an object that the collector moves.
        TBody local = body;
        Share(tasks, &Drain<TBody>, Unsafe.AsPointer(ref local));
        body = local;
    }

    /// <summary>
    /// Ends the threads and frees the scratch memory, once every caller has left its seat; those that come later are refused.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called from within a seat of this pool, which it would wait for.</exception>
    public void Dispose()
    {
        if (current.Pool == this)
        {
            throw new InvalidOperationException(
                "cpu: the device cannot be disposed by code that it runs; dispose it when the call has returned.");
        }

        if (Stop())
        {
            var wait = default(SpinWait);
            while (HasCallers)
            {
                wait.SpinOnce();
            }

            foreach (Thread thread in threads)
            {
                thread.Join();
            }

            foreach (SemaphoreSlim bell in bells)
            {
                bell.Dispose();
            }

            FreeScratch();
        }
    }

    /// <summary>
    /// For a device that was forgotten: as <see cref="Dispose"/>, but waits for nobody. Workers touch scratch memory in regions
    /// only.
    /// </summary>
    public void Abandon()
    {
        if (Stop() && !HasCallers)
        {
            FreeScratch();
        }
    }

    /// <summary>Callers have seat 0 and those behind the workers'.</summary>
    private bool HasCallers
    {
        get
        {
            for (int i = 0; i < MaxSeats; i = i == 0 ? Threads : i + 1)
            {
                if (Volatile.Read(ref seats[i]) != 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    private bool Stop()
    {
        // A full fence: a caller either sees this or is seen in its seat.
        if (Interlocked.Exchange(ref stopping, 1) != 0)
        {
            return false;
        }

        foreach (SemaphoreSlim bell in bells)
        {
            bell.Release();
        }

        return true;
    }

    private void FreeScratch()
    {
        for (int i = 0; i < MaxSeats; i++)
        {
            HostMemory.Free((void*)Interlocked.Exchange(ref scratch[i], 0));
        }
    }

    private static void Drain<TBody>(WorkerPool pool, void* body, int worker)
        where TBody : struct, IParallelBody
    {
        ref TBody target = ref Unsafe.AsRef<TBody>(body);
        for (int task = pool.ranges.Claim(worker); task >= 0; task = pool.ranges.Claim(worker))
        {
            target.Invoke(task, worker);
        }
    }

    private void Share(int tasks, delegate*<WorkerPool, void*, int, void> drain, void* body)
    {
        ranges.Deal(tasks);
        this.drain = drain;
        this.body = body;
        failure = null;

        // A full fence: what stands above is seen by every thread that sees the region open, and parked workers are seen below.
        Interlocked.Add(ref shared.State, Open + Generation);
        int helpers = Math.Min(tasks, Threads) - 1;
        for (int i = 0; i < bells.Length && helpers > 0 && Volatile.Read(ref shared.Parked) > 0; i++, helpers--)
        {
            if (Interlocked.Exchange(ref seats[i + 1], 1) == 2)
            {
                bells[i].Release();
            }
        }

        TakePart(0);
        Interlocked.Add(ref shared.State, -Open);
        var wait = default(SpinWait);
        while ((Volatile.Read(ref shared.State) & Active) != 0)
        {
            if (wait.NextSpinWillYield)
            {
                wait.SpinOnce(sleep1Threshold: -1);
            }
            else
            {
                wait.SpinOnce();
            }
        }

        this.body = null;
        if (failure is { } exception)
        {
            failure = null;
            ExceptionDispatchInfo.Throw(exception);
        }
    }

    private void TakePart(int worker)
    {
        current.Inside = true;
        try
        {
            drain(this, body, worker);
        }
        catch (Exception exception)
        {
            // The first failure is the one reported; no task is claimed after it.
            Interlocked.CompareExchange(ref failure, exception, null);
            ranges.Clear();
        }
        finally
        {
            current.Inside = false;
        }
    }

    private void Work(int worker)
    {
        current = new Place { Pool = this, Worker = worker };
        long seen = 0;
        while (Await(worker, seen))
        {
            long state = Volatile.Read(ref shared.State);
            while ((state & Open) != 0)
            {
                long found = Interlocked.CompareExchange(ref shared.State, state + 1, state);
                if (found == state)
                {
                    TakePart(worker);
                    Interlocked.Decrement(ref shared.State);
                    break;
                }

                state = found;
            }

            seen = state & ~(Open | Active);
        }
    }

    /// <summary>Waits for an open region that this worker has not been in; false when the pool stops.</summary>
    private bool Await(int worker, long seen)
    {
        while (true)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            do
            {
                for (int i = 0; i < 16; i++)
                {
                    if (IsStopping)
                    {
                        return false;
                    }

                    if (IsNew(seen))
                    {
                        return true;
                    }

                    Thread.SpinWait(1);
                }
            }
            while (System.Diagnostics.Stopwatch.GetTimestamp() - start < spinTicks);

            Park(worker, seen);
        }
    }

    private bool IsNew(long seen)
    {
        long state = Volatile.Read(ref shared.State);
        return (state & Open) != 0 && (state & ~(Open | Active)) != seen;
    }

    private void Park(int worker, long seen)
    {
        Interlocked.Increment(ref shared.Parked);
        Interlocked.Exchange(ref seats[worker], 2);

        // Looked at once more after saying so: either the caller sees this worker parked, or the worker sees the region.
        bool leave = IsStopping || IsNew(seen);
        if (!leave || Interlocked.Exchange(ref seats[worker], 1) != 2)
        {
            bells[worker - 1].Wait();
        }

        Interlocked.Decrement(ref shared.Parked);
    }

    /// <summary>
    /// Takes a seat, unless the pool stops: looked at once more behind the seat's fence, see <see cref="Stop"/>.
    /// </summary>
    private int Sit(int first)
    {
        var wait = default(SpinWait);
        while (true)
        {
            for (int i = first; i < MaxSeats; i = i == 0 ? Threads : i + 1)
            {
                if (Volatile.Read(ref seats[i]) == 0 && Interlocked.CompareExchange(ref seats[i], 1, 0) == 0)
                {
                    try
                    {
                        ObjectDisposedException.ThrowIf(IsStopping, this);
                        if (scratch[i] == 0)
                        {
                            scratch[i] = (nint)HostMemory.Allocate(ScratchBytes, clear: false);
                        }

                        return i;
                    }
                    catch
                    {
                        Volatile.Write(ref seats[i], 0);
                        throw;
                    }
                }
            }

            wait.SpinOnce();
        }
    }

    /// <summary>
    /// Frees the scratch memory of seats beyond the workers' that is not in use; the next caller there takes a new block.
    /// </summary>
    public void Trim()
    {
        for (int i = Threads; i < MaxSeats; i++)
        {
            if (Interlocked.CompareExchange(ref seats[i], 1, 0) == 0)
            {
                HostMemory.Free((void*)scratch[i]);
                scratch[i] = 0;
                Volatile.Write(ref seats[i], 0);
            }
        }
    }

    /// <summary>A caller's place in the pool, left by disposing it.</summary>
    internal readonly ref struct Seat
    {
        private readonly WorkerPool pool;
        private readonly Place outer;
        private readonly bool nested;

        internal Seat(WorkerPool pool, int worker, Place outer, bool nested)
        {
            this.pool = pool;
            this.outer = outer;
            this.nested = nested;
            Worker = worker;
        }

        /// <summary>The number of the caller's scratch memory.</summary>
        public int Worker { get; }

        public void Dispose()
        {
            // The default has no pool.
            if (!nested && pool is not null)
            {
                current = outer;
                Volatile.Write(ref pool.seats[Worker], 0);
            }
        }
    }

    /// <summary>Which seat of which pool the thread has, and whether it is in the body of a region.</summary>
    internal struct Place
    {
        public WorkerPool? Pool;
        public int Worker;
        public bool Inside;
    }

    /// <summary>What the threads fight over, each on a line of its own (two, as lines are fetched in pairs).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Shared
    {
        /// <summary>Generation, open bit, and how many workers are inside.</summary>
        [FieldOffset(128)]
        public long State;

        [FieldOffset(256)]
        public int Parked;
    }
}
