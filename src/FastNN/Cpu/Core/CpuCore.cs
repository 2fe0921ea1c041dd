using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// What all facets of the CPU stand on, and no facet: the pool of threads, blocks of memory and their accounting, copies, and
/// the end of it all. Any thread may call it; calls that run at the same time share the pool as <see cref="WorkerPool"/> says.
/// </summary>
internal abstract unsafe partial class CpuCore : IDeviceCore, IMemory, ICustomKernels
{
    /// <summary>The most threads a device takes.</summary>
    public const int MaxThreads = WorkerPool.MaxSeats / 2;

    private readonly WorkerPool _pool;
    private long _liveBytes;
    private long _peakBytes;
    private long _allocations;
    private int _liveBlocks;
    private volatile bool _disposed;

    /// <summary>A device with so many threads, the caller among them.</summary>
    /// <param name="threads">0 for one per logical processor.</param>
    /// <param name="options">How kernels may compute.</param>
    /// <exception cref="DeviceException">The number is negative or above <see cref="MaxThreads"/>.</exception>
    protected CpuCore(int threads, CpuOptions options)
    {
        Options = options;
        if (threads is < 0 or > MaxThreads)
        {
            throw new DeviceException(
                $"cpu: {threads} threads asked for; 1 to {MaxThreads} are possible, 0 takes one per logical processor.");
        }

        _pool = new WorkerPool(threads == 0 ? Math.Min(Environment.ProcessorCount, MaxThreads) : threads);
    }

    // Also of a device whose constructor refused its number of threads.
    ~CpuCore() => _pool?.Abandon();

    public string Kind => "cpu";

    public bool IsHost => true;

    public DeviceLife Life { get; } = new("cpu");

    public string Description => $"CPU, {Simd.Name}, {Threads} {(Threads == 1 ? "thread" : "threads")}";

    public IReadOnlyList<string> Warnings => Processor.Warnings;

    public int Threads => _pool.Threads;

    public double MeasurePeak()
    {
        PeakRate rate = default;
        Simd.Dispatch(ref rate);
        return rate.Flops * Threads;
    }

    /// <summary>How kernels may compute.</summary>
    public CpuOptions Options { get; }

    /// <summary>The workers, for a kernel that is about to run.</summary>
    public WorkerPool Pool
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _pool;
        }
    }

    public DeviceMemory MemoryUse => new()
    {
        LiveBytes = Interlocked.Read(ref _liveBytes),
        PeakBytes = Interlocked.Read(ref _peakBytes),
        LiveBlocks = Volatile.Read(ref _liveBlocks),
        Allocations = Interlocked.Read(ref _allocations),
    };

    public nint Allocate(long bytes, bool clear = true)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        try
        {
            byte* block = HostMemory.Allocate(bytes, clear);
            Interlocked.Increment(ref _allocations);
            Interlocked.Increment(ref _liveBlocks);
            long live = Interlocked.Add(ref _liveBytes, bytes), peak;
            while ((peak = Interlocked.Read(ref _peakBytes)) < live
                && Interlocked.CompareExchange(ref _peakBytes, live, peak) != peak)
            {
            }

            LiveBlocks?.Add((nint)block, bytes);
            return (nint)block;
        }
        catch (OutOfMemoryException exception)
        {
            throw new DeviceException(
                $"cpu: cannot allocate {bytes} bytes ({bytes / (1024.0 * 1024 * 1024):F2} GiB) of memory.", exception);
        }
    }

    // Also after the device is disposed: the owner of a block must be able to give it back.
    public void Free(nint address)
    {
        if (address != 0)
        {
            LiveBlocks?.Remove(address);
            Interlocked.Decrement(ref _liveBlocks);
            Interlocked.Add(ref _liveBytes, -HostMemory.BytesOf((void*)address));
            HostMemory.Free((void*)address);
        }
    }

    public void Abandon(nint address) => Free(address);

    public LiveBlocks? LiveBlocks { get; } = DebugChecks.Enabled ? new LiveBlocks() : null;

    public void Poison(nint address, long bytes) => NativeMemory.Fill((void*)address, (nuint)bytes, DebugChecks.Poison);

    public TrimList Keepers { get; } = new();

    public void Trim()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Keepers.Trim();
        _pool.Trim();
    }

    public void Upload(ReadOnlySpan<byte> source, Tensor destination)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (source.Length != destination.Bytes)
        {
            throw new ShapeException(
                $"cpu: {source.Length} bytes cannot be copied into {destination} of {destination.Bytes} bytes.");
        }

        source.CopyTo(new Span<byte>((void*)destination.Address, source.Length));
    }

    public void Download(Tensor source, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (destination.Length > source.Bytes)
        {
            throw new ShapeException($"cpu: {destination.Length} bytes cannot be copied from {source} of {source.Bytes} bytes.");
        }

        new ReadOnlySpan<byte>((void*)source.Address, destination.Length).CopyTo(destination);
    }

    public IReadback CreateReadback(params ReadOnlySpan<Tensor> sources) => new Readback([.. sources]);

    // Work runs while it is called, so there is nothing to overlap with and no launch to save.
    public IFeed? CreateFeed(long bytes) => null;

    public ILaunchGraph? Capture(Action work) => null;

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (Life.Close())
        {
            _disposed = true;
            _pool.Dispose();
        }
    }

    internal static float* Floats(Tensor? tensor) => tensor is null ? null : (float*)tensor.Address;

    internal static byte* Bytes(Tensor? tensor) => tensor is null ? null : (byte*)tensor.Address;

    /// <summary>Tensors are host memory already.</summary>
    private sealed class Readback(Tensor[] sources) : IReadback
    {
        public void Begin()
        {
        }

        public ReadOnlySpan<byte> Read(int index) => new((void*)sources[index].Address, checked((int)sources[index].Bytes));

        public void Dispose()
        {
        }
    }
}
