using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>
/// What all facets of an NVIDIA GPU stand on, and no facet: context and streams, launches and captures, memory and copies, cuBLAS
/// and cuDNN, faults, and the end of it all. Any thread may call it. Work goes in under one lock and in that order onto one
/// stream; waiting for results happens outside the lock.
/// </summary>
internal abstract unsafe partial class CudaCore : IDeviceCore, IMemory, ICustomKernels
{
    public const int ScratchBytes = 1 << 20;

    private static int made;

    /// <summary>
    /// Devices that nobody refers to any more, to be given back by the next that is opened: a finalizer may call no driver.
    /// </summary>
    private static readonly ConcurrentQueue<CudaCore> AbandonedDevices = new();

    /// <summary>
    /// The device whose context this thread's driver calls go to: a context is a thread's, and setting it for each call costs.
    /// </summary>
    [ThreadStatic]
    private static int boundDevice;

    private readonly Lock _gate = new();
    private readonly int _identity = Interlocked.Increment(ref made);
    private readonly CudaOptions _options;
    private readonly CUdevice _device;
    private readonly CUcontext _context;
    private readonly CUstream _compute;
    private readonly CUstream _copy;
    private readonly KernelTable _kernels;
    private readonly MemoryPool _pool;
    private readonly StagingRing _staging;
    private readonly nint _scratch;
    private readonly bool _retained;
    private readonly HashSet<WeakReference<Resource>> _resources = [];
    private readonly ConcurrentQueue<nint> _abandonedBlocks = new();
    private readonly ConcurrentQueue<Resource> _abandonedResources = new();
    private DeviceException? _fault;

    /// <summary>Calls that use the driver outside the lock, and pieces of downloads they hold: Dispose waits for them.</summary>
    private int _outside;
    private volatile bool _disposed;

    /// <summary>Opens a GPU.</summary>
    /// <exception cref="DeviceException">There is no driver or no GPU with this index, or the driver rejects the
    /// kernels.</exception>
    protected CudaCore(int ordinal, CudaOptions? options, KernelSource? kernels)
    {
        while (AbandonedDevices.TryDequeue(out CudaCore? abandoned))
        {
            abandoned.Dispose();
        }

        _options = options ?? new CudaOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(_options.MemoryLimit);
        kernels ??= KernelSource.Embedded;
        _kernels = new KernelTable(this, kernels);
        IsSoftware = CudaLibraries.IsSoftwareDriver;
        _pool = new MemoryPool(this, _options.MemoryLimit, exact: IsSoftware);
        _staging = new StagingRing(this);
        try
        {
            _ = CudaDriver.FirstFamily(kernels);
            CudaErrors.RequireNoFault();
            (_device, DriverVersion) = CudaDriver.Open(ordinal);
            ComputeCapability = CudaDriver.ComputeCapability(_device);
            CudaDriver.RequireKernels(kernels, DriverVersion, ComputeCapability);
            Check(ContextManagement.cuDevicePrimaryCtxRetain(ref _context, _device));
            _retained = true;
            Bind();
            Name = CudaDriver.Name(_device);
            TotalMemory = CudaDriver.TotalMemory(_device);
            Check(Streams.cuStreamCreate(ref _compute, CUStreamFlags.NonBlocking));
            Check(Streams.cuStreamCreate(ref _copy, CUStreamFlags.NonBlocking));
            CUdeviceptr scratch = default;
            Check(MemoryManagement.cuMemAlloc_v2(ref scratch, ScratchBytes));
            _scratch = (nint)(long)(ulong)scratch;
            Check(MemsetAsync.cuMemsetD8Async(scratch, 0, ScratchBytes, _compute));
            _staging.Open();
            _kernels.Probe();
        }
        catch
        {
            Release();
            throw;
        }
    }

    ~CudaCore() => AbandonedDevices.Enqueue(this);

    public string Kind => "cuda";

    public DeviceLife Life { get; } = new("cuda");

    public string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name}, compute capability {ComputeCapability}, {TotalMemory / (double)(1 << 30):F1} GiB, driver {DriverVersion}{(_options.AllowTF32 ? ", TF32 in cuBLAS and cuDNN" : "")}");

    public int Threads => 1;

    public string Name { get; } = "";

    public Version ComputeCapability { get; } = new(0, 0);

    public long TotalMemory { get; }

    /// <summary>The newest CUDA that the driver knows.</summary>
    public Version DriverVersion { get; } = new(0, 0);

    /// <summary>Whether this is the software device that tests run on.</summary>
    public bool IsSoftware { get; }

    /// <summary>The stream of all kernels.</summary>
    internal CUstream ComputeStream => _compute;

    public DeviceMemory MemoryUse
    {
        get
        {
            using Lock.Scope scope = _gate.EnterScope();
            return _pool.Statistics;
        }
    }

    /// <summary>
    /// One MiB of device memory for all kernels: the first 4 KiB are tickets that every kernel leaves at 0, the rest partial
    /// sums. Kernels of one stream do not overlap, so they share it.
    /// </summary>
    internal nint Scratch => _scratch;

    public nint Allocate(long bytes, bool clear = true)
    {
        using Lock.Scope scope = Enter();
        RefuseWhileCapturing("allocated");
        ReleaseAbandoned();
        nint address = _pool.Take(bytes);
        try
        {
            if (clear)
            {
                Check(MemsetAsync.cuMemsetD8Async(Pointer(address), 0, Math.Max(bytes, 1), _compute));
            }
        }
        catch
        {
            _pool.Return(address);
            throw;
        }

        return address;
    }

    // Also after the device is disposed or failed: the owner of a block must be able to give it back. Then it is given back as
    // far as it can be, and nothing is thrown: this is called from Dispose, where an exception would hide the one that tells what
    // happened.
    public void Free(nint address)
    {
        using Lock.Scope scope = _gate.EnterScope();
        if (!_pool.Return(address) && _fault is null && !_disposed)
        {
            throw new ArgumentException(
                $"cuda: 0x{address:x} is not a block of this device, or it was freed before.", nameof(address));
        }
    }

    public LiveBlocks? LiveBlocks => _pool.Blocks;

    public void Poison(nint address, long bytes)
    {
        using Lock.Scope scope = Enter();
        if (!IsCapturing && bytes > 0)
        {
            Check(MemsetAsync.cuMemsetD8Async(Pointer(address), DebugChecks.Poison, bytes, _compute));
        }
    }

    public void Abandon(nint address) => _abandonedBlocks.Enqueue(address);

    public TrimList Keepers { get; } = new();

    /// <summary>Gives memory that no one holds back to the driver.</summary>
    public void Trim()
    {
        Keepers.Trim();
        using Lock.Scope scope = Enter();
        RefuseWhileCapturing("freed");
        ReleaseAbandoned();
        _pool.Trim();
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (!Life.Close())
        {
            return;
        }

        using (_gate.EnterScope())
        {
            _disposed = true;
        }

        var spin = default(SpinWait);
        while (Volatile.Read(ref _outside) != 0)
        {
            spin.SpinOnce();
        }

        using Lock.Scope scope = _gate.EnterScope();
        Release();
    }

    /// <summary>Throws unless a call of the driver succeeded.</summary>
    /// <param name="call">The call as it is written in the source; its name is told.</param>
    internal void Check(CUResult result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != CUResult.Success)
        {
            Fail(result, call);
        }
    }

    /// <summary>
    /// Throws what a code means; after some codes nothing else is possible, and every later call throws the same.
    /// </summary>
    internal void Fail(CUResult result, string call, string more = "")
    {
        DeviceException exception = CudaErrors.Exception(result, call, more);
        if (CudaErrors.IsSticky(result))
        {
            _fault ??= exception;
        }

        if (CudaErrors.EndsProcess(result))
        {
            CudaErrors.RememberFault(exception);
        }

        throw exception;
    }

    internal static CUdeviceptr Pointer(nint address) => new((ulong)address);

    /// <summary>Waits for everything launched.</summary>
    internal void Synchronize()
    {
        Check(Streams.cuStreamSynchronize(_copy));
        Check(Streams.cuStreamSynchronize(_compute));
    }

    /// <summary>Takes the lock and makes this thread's driver calls go to this device.</summary>
    internal Lock.Scope Enter()
    {
        Lock.Scope scope = _gate.EnterScope();
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_fault is not null)
            {
                throw new DeviceException(_fault.Message, _fault);
            }

            Bind();
        }
        catch
        {
            scope.Dispose();
            throw;
        }

        return scope;
    }

    private void Bind()
    {
        if (boundDevice != _identity)
        {
            Check(ContextManagement.cuCtxSetCurrent(_context));
            boundDevice = _identity;
        }
    }

    /// <summary>
    /// Binds where things are given back: a failed device may not even do that, and nothing is to be said of it.
    /// </summary>
    private bool TryBind()
    {
        if (boundDevice != _identity && ContextManagement.cuCtxSetCurrent(_context) == CUResult.Success)
        {
            boundDevice = _identity;
        }

        return boundDevice == _identity;
    }

    /// <summary>Waits on the host until an event has come, without keeping others from launching.</summary>
    private void Wait(CUevent happening)
    {
        using (Enter())
        {
            CUResult state = Events.cuEventQuery(happening);
            if (state == CUResult.Success)
            {
                return;
            }

            if (state != CUResult.ErrorNotReady)
            {
                Fail(state, nameof(Events.cuEventQuery));
            }

            Interlocked.Increment(ref _outside);
        }

        try
        {
            Check(Events.cuEventSynchronize(happening));
        }
        finally
        {
            Interlocked.Decrement(ref _outside);
        }
    }

    internal IntPtr AllocatePinned(long bytes)
    {
        IntPtr address = 0;
        Check(MemoryManagement.cuMemHostAlloc(ref address, bytes, CUMemHostAllocFlags.Portable));
        return address;
    }

    internal CUevent CreateEvent()
    {
        CUevent made = default;
        Check(Events.cuEventCreate(ref made, CUEventFlags.DisableTiming));
        return made;
    }

    private void RefuseWhileCapturing(string what)
    {
        if (IsCapturing)
        {
            throw new DeviceException($"cuda: nothing may be {what} while work is captured.");
        }
    }

    /// <summary>
    /// Gives everything back. Errors are ignored: after a fault every call returns it again.
    /// </summary>
    private void Release()
    {
        if (!_retained)
        {
            return;
        }

        if (TryBind())
        {
            _ = _compute.Pointer == 0 ? CUResult.Success : Streams.cuStreamSynchronize(_compute);
            _ = _copy.Pointer == 0 ? CUResult.Success : Streams.cuStreamSynchronize(_copy);
        }

        ReleaseAbandoned();
        foreach (WeakReference<Resource> reference in _resources.ToArray())
        {
            if (reference.TryGetTarget(out Resource? resource))
            {
                resource.Dispose();
            }
        }

        ReleaseLibraries();
        ReleasePieces();
        _staging.Close();
        _kernels.Unload();
        _pool.Close();
        if (_scratch != 0)
        {
            _ = MemoryManagement.cuMemFree_v2(Pointer(_scratch));
        }

        foreach (CUstream stream in (CUstream[])[_compute, _copy])
        {
            if (stream.Pointer != 0)
            {
                _ = Streams.cuStreamDestroy_v2(stream);
            }
        }

        _ = ContextManagement.cuCtxSetCurrent(default);
        boundDevice = 0;
        _ = ContextManagement.cuDevicePrimaryCtxRelease(_device);
    }

    /// <summary>Gives back what owners left behind that were never disposed; under the lock.</summary>
    private void ReleaseAbandoned()
    {
        while (_abandonedResources.TryDequeue(out Resource? resource))
        {
            resource.Dispose();
        }

        while (_abandonedBlocks.TryDequeue(out nint address))
        {
            _pool.Return(address);
        }
    }

    /// <summary>Something of the driver's that a caller owns; the device gives it back with itself at the latest.</summary>
    private abstract class Resource : IDisposable
    {
        private readonly WeakReference<Resource> _self;
        private bool _released;

        protected Resource(CudaCore core)
        {
            Core = core;
            _self = new WeakReference<Resource>(this, trackResurrection: true);
            core._resources.Add(_self);
        }

        ~Resource() => Core._abandonedResources.Enqueue(this);

        protected CudaCore Core { get; }

        public void Dispose()
        {
            using Lock.Scope scope = Core._gate.EnterScope();
            GC.SuppressFinalize(this);
            if (_released)
            {
                return;
            }

            _released = true;
            Core._resources.Remove(_self);
            Core.TryBind();
            Release();
        }

        /// <summary>The device, for use.</summary>
        protected Lock.Scope Enter()
        {
            ObjectDisposedException.ThrowIf(_released, this);
            return Core.Enter();
        }

        /// <summary>Gives back what was taken, as far as it was; under the lock, with the context bound.</summary>
        protected abstract void Release();
    }
}
