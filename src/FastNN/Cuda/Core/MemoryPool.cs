using FastNN.Kernels;
using FastNN.Tensors;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>
/// Device memory. Blocks that come back are kept for the next that fits, so that plans come and go without the driver, whose
/// allocations stop the GPU. All work runs on one stream, so a block may be used again while its last user still runs.
/// Callers hold the device's lock.
/// </summary>
/// <param name="limit">The most bytes to hold, live and kept; 0 for no limit.</param>
/// <param name="exact">Reuses blocks for the same size only, so that a checker of accesses sees the true end of each
/// block.</param>
internal sealed class MemoryPool(CudaCore core, long limit, bool exact)
{
    private static long liveEverywhere;

    private readonly Dictionary<nint, long> _live = [];
    private readonly SortedSet<(long Bytes, nint Address)> _kept = [];
    private long _liveBytes;
    private long _keptBytes;
    private long _peak;
    private long _allocations;
    private bool _closed;

    /// <summary>Blocks of all devices that callers did not give back, disposed devices included.</summary>
    public static long LiveBlocks => Interlocked.Read(ref liveEverywhere);

    /// <summary>Live blocks with the sizes that were asked for; in debug mode alone.</summary>
    public LiveBlocks? Blocks { get; } = DebugChecks.Enabled ? new LiveBlocks() : null;

    public DeviceMemory Statistics => new()
    {
        LiveBytes = _liveBytes,
        CachedBytes = _keptBytes,
        PeakBytes = _peak,
        LiveBlocks = _live.Count,
        Allocations = _allocations,
    };

    /// <summary>A block of at least so many bytes, not zeroed; one of zero bytes still has an address of its own.</summary>
    public nint Take(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        bytes = Math.Max(bytes, 1);
        (long size, nint address) = Reuse(bytes);
        if (address == 0)
        {
            (size, address) = (bytes, Request(bytes));
        }

        _live.Add(address, size);
        Blocks?.Add(address, bytes);
        _liveBytes += size;
        _peak = Math.Max(_peak, _liveBytes);
        Interlocked.Increment(ref liveEverywhere);
        return address;
    }

    /// <summary>
    /// Takes a block back; false where it is not one of this pool or came back before. Address 0 is not a block and comes back at
    /// any time.
    /// </summary>
    public bool Return(nint address)
    {
        if (address == 0)
        {
            return true;
        }

        if (!_live.Remove(address, out long size))
        {
            return false;
        }

        Blocks?.Remove(address);
        Interlocked.Decrement(ref liveEverywhere);
        _liveBytes -= size;
        if (!_closed)
        {
            _kept.Add((size, address));
            _keptBytes += size;
        }

        return true;
    }

    /// <summary>Gives what is kept back to the driver.</summary>
    public void Trim()
    {
        if (_kept.Count == 0)
        {
            return;
        }

        core.Synchronize();
        while (_kept.Count > 0)
        {
            (long size, nint address) = _kept.Min;
            core.Check(MemoryManagement.cuMemFree_v2(CudaCore.Pointer(address)));
            _kept.Remove((size, address));
            _keptBytes -= size;
        }
    }

    /// <summary>Frees everything, live blocks too; these still count until their holders return them.</summary>
    public void Close()
    {
        foreach (nint address in _kept.Select(block => block.Address).Concat(_live.Keys))
        {
            _ = MemoryManagement.cuMemFree_v2(CudaCore.Pointer(address));
        }

        _kept.Clear();
        (_keptBytes, _closed) = (0, true);
    }

    /// <summary>The smallest kept block that fits and wastes no more than an eighth.</summary>
    private (long Bytes, nint Address) Reuse(long bytes)
    {
        long most = exact ? bytes : bytes + Math.Max(bytes / 8, 512);
        foreach ((long Bytes, nint Address) block in _kept.GetViewBetween((bytes, nint.MinValue), (most, nint.MaxValue)))
        {
            _kept.Remove(block);
            _keptBytes -= block.Bytes;
            return block;
        }

        return default;
    }

    private nint Request(long bytes)
    {
        if (limit > 0 && _liveBytes + _keptBytes + bytes > limit)
        {
            Trim();
            if (_liveBytes + bytes > limit)
            {
                throw OutOfMemory(bytes, CUResult.Success);
            }
        }

        CUdeviceptr address = default;
        CUResult result = MemoryManagement.cuMemAlloc_v2(ref address, bytes);
        if (result == CUResult.ErrorOutOfMemory && _kept.Count > 0)
        {
            Trim();
            result = MemoryManagement.cuMemAlloc_v2(ref address, bytes);
        }

        if (result == CUResult.ErrorOutOfMemory)
        {
            throw OutOfMemory(bytes, result);
        }

        core.Check(result, nameof(MemoryManagement.cuMemAlloc_v2));
        _allocations++;
        return (nint)(long)(ulong)address;
    }

    private DeviceException OutOfMemory(long bytes, CUResult result)
    {
        SizeT free = default;
        SizeT total = default;
        string room = MemoryManagement.cuMemGetInfo_v2(ref free, ref total) == CUResult.Success
            ? $"{Size((long)free)} of the GPU's {Size((long)total)} are free"
            : "how much is free the driver does not say";
        string bound = limit > 0 ? $", the limit set is {Size(limit)}" : "";
        string call = result == CUResult.Success
            ? ""
            : $" ({nameof(MemoryManagement.cuMemAlloc_v2)}: {result}, {(int)result})";
        return new DeviceException(
            $"cuda: cannot allocate {Size(bytes)} of device memory{call}: this device holds {Size(_liveBytes)}, {room}{bound}. " +
            (result == CUResult.Success
                ? "Raise CudaOptions.MemoryLimit, or use a smaller batch."
                : "Use a smaller batch, or close other programs that use the GPU."))
        {
            IsLack = true,
        };
    }

    private static string Size(long bytes) => bytes switch
    {
        < 1 << 20 => $"{bytes} bytes",
        < 1 << 30 => $"{bytes / (double)(1 << 20):F1} MiB",
        _ => $"{bytes / (double)(1 << 30):F2} GiB",
    };
}
