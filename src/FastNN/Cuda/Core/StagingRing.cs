using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>
/// Pinned memory that uploads pass through: segments used one after the other and over again. A segment is taken again once the
/// copies out of it are done, which an event behind the last of them tells. Callers hold the device's lock.
/// </summary>
internal sealed unsafe class StagingRing(CudaCore core)
{
    public const int Segments = 4;
    public const int SegmentBytes = 2 << 20;

    private const int Alignment = 64;

    private readonly CUevent[] _done = new CUevent[Segments];
    private readonly bool[] _pending = new bool[Segments];
    private IntPtr _memory;
    private int _segment;
    private int _used;

    public void Open()
    {
        _memory = core.AllocatePinned((long)Segments * SegmentBytes);
        for (int i = 0; i < Segments; i++)
        {
            _done[i] = core.CreateEvent();
        }

        // The first call of a function binds it, which allocates; the ring's first turn may come long after the warm-up.
        core.Check(Events.cuEventRecord(_done[0], core.ComputeStream));
        CUResult state = Events.cuEventQuery(_done[0]);
        if (state != CUResult.ErrorNotReady)
        {
            core.Check(state, nameof(Events.cuEventQuery));
        }

        core.Check(Events.cuEventSynchronize(_done[0]));
    }

    /// <summary>Room for some of the bytes, at most a segment of them; false where an event must come first.</summary>
    /// <param name="staged">Where they go; the copy must be launched before the lock is let go.</param>
    public bool Take(int bytes, out Span<byte> staged, out CUevent busy)
    {
        bytes = Math.Min(bytes, SegmentBytes);
        if (_used + bytes > SegmentBytes && !Advance(out busy))
        {
            staged = default;
            return false;
        }

        staged = new Span<byte>((byte*)_memory + ((long)_segment * SegmentBytes) + _used, bytes);
        _used = (_used + bytes + Alignment - 1) & ~(Alignment - 1);
        busy = default;
        return true;
    }

    public void Close()
    {
        foreach (CUevent done in _done)
        {
            if (done.Pointer != 0)
            {
                _ = Events.cuEventDestroy_v2(done);
            }
        }

        if (_memory != 0)
        {
            _ = MemoryManagement.cuMemFreeHost(_memory);
        }
    }

    /// <summary>Goes on to the next segment, unless copies out of it are under way.</summary>
    private bool Advance(out CUevent busy)
    {
        int next = (_segment + 1) % Segments;
        busy = _done[next];
        if (_pending[next])
        {
            CUResult state = Events.cuEventQuery(busy);
            if (state == CUResult.ErrorNotReady)
            {
                return false;
            }

            core.Check(state, nameof(Events.cuEventQuery));
            _pending[next] = false;
        }

        core.Check(Events.cuEventRecord(_done[_segment], core.ComputeStream));
        _pending[_segment] = true;
        (_segment, _used) = (next, 0);
        return true;
    }
}
