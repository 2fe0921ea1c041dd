using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>What `fastnn doctor` and services ask.</summary>
internal abstract unsafe partial class CudaCore
{
    private GpuMonitor? _monitor;
    private bool _isMonitored;

    /// <summary>What the GPU does now, for all processes together; null without a management library.</summary>
    public GpuState? State()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_isMonitored)
            {
                (_isMonitored, _monitor) = (true, GpuMonitor.Open(_device));
            }
        }

        return _monitor?.Read();
    }

    /// <summary>Device memory that no process holds, in bytes.</summary>
    public long FreeMemory()
    {
        using Lock.Scope scope = Enter();
        SizeT free = default;
        SizeT total = default;
        Check(MemoryManagement.cuMemGetInfo_v2(ref free, ref total));
        return (long)free;
    }

    /// <summary>Has the driver compile all kernels, which otherwise happens as each family is first needed.</summary>
    /// <returns>How many families there are.</returns>
    public int LoadKernels()
    {
        using Lock.Scope scope = Enter();
        RefuseWhileCapturing("compiled");
        return _kernels.LoadAll();
    }
}
