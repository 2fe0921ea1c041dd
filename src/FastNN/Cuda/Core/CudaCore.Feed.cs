using FastNN.Kernels;
using FastNN.Tensors;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

internal abstract unsafe partial class CudaCore
{
    public IFeed? CreateFeed(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        using Lock.Scope scope = Enter();
        RefuseWhileCapturing("allocated");
        return new Feed(this, bytes);
    }

    /// <summary>
    /// Two places for batches, each in pinned and in device memory. The copy stream fills the device's while the compute stream
    /// works; events keep the one from reading what is not there yet and the other from overwriting what is still read. One
    /// thread at a time.
    /// </summary>
    private sealed class Feed : Resource, IFeed
    {
        private const int Places = 2;

        private readonly long _capacity;
        private readonly IntPtr[] _pinned = new IntPtr[Places];
        private readonly nint[] _onDevice = new nint[Places];
        private readonly CUevent[] _arrived = new CUevent[Places];
        private readonly CUevent[] _consumed = new CUevent[Places];
        private readonly int[] _bytes = new int[Places];
        private long _pushed;
        private long _pulled;

        public Feed(CudaCore core, long bytes)
            : base(core)
        {
            _capacity = bytes;
            try
            {
                for (int i = 0; i < Places; i++)
                {
                    _pinned[i] = core.AllocatePinned(bytes);
                    _onDevice[i] = core._pool.Take(bytes);
                    _arrived[i] = core.CreateEvent();
                    _consumed[i] = core.CreateEvent();
                    // The pool's blocks may still be used by what was launched before they came back to it.
                    core.Check(Events.cuEventRecord(_consumed[i], core._compute));
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public void Push(ReadOnlySpan<byte> source)
        {
            if (_pushed - _pulled == Places)
            {
                throw new InvalidOperationException(
                    $"cuda: {Places} batches are on their way already; one must be pulled first.");
            }

            if (source.Length > _capacity)
            {
                throw new ShapeException($"cuda: a batch of {source.Length} bytes does not fit into a feed of {_capacity}.");
            }

            int at = (int)(_pushed % Places);
            if (_pushed >= Places)
            {
                // Two batches ago; by now it has come, unless the host is far ahead.
                Core.Wait(_arrived[at]);
            }

            using Lock.Scope scope = Enter();
            source.CopyTo(new Span<byte>((void*)_pinned[at], source.Length));
            _bytes[at] = source.Length;
            Core.Check(Streams.cuStreamWaitEvent(Core._copy, _consumed[at], 0));
            Core.Check(
                AsynchronousMemcpy_v2.cuMemcpyHtoDAsync_v2(Pointer(_onDevice[at]), _pinned[at], source.Length, Core._copy));
            Core.Check(Events.cuEventRecord(_arrived[at], Core._copy));
            _pushed++;
        }

        public void Pull(Tensor destination)
        {
            if (_pulled == _pushed)
            {
                throw new InvalidOperationException("cuda: no batch is on its way.");
            }

            int at = (int)(_pulled % Places);
            if (destination.Bytes != _bytes[at])
            {
                throw new ShapeException(
                    $"cuda: a batch of {_bytes[at]} bytes cannot be put into {destination} of {destination.Bytes} bytes.");
            }

            using Lock.Scope scope = Enter();
            Core.Check(Streams.cuStreamWaitEvent(Core._compute, _arrived[at], 0));
            Core.CopyDeviceToDevice(destination.Address, _onDevice[at], _bytes[at]);
            Core.Check(Events.cuEventRecord(_consumed[at], Core._compute));
            _pulled++;
        }

        protected override void Release()
        {
            // Copies into blocks that the pool hands on at once must have ended.
            _ = Streams.cuStreamSynchronize(Core._copy);
            for (int i = 0; i < Places; i++)
            {
                foreach (CUevent happening in (CUevent[])[_arrived[i], _consumed[i]])
                {
                    if (happening.Pointer != 0)
                    {
                        _ = Events.cuEventDestroy_v2(happening);
                    }
                }

                Core._pool.Return(_onDevice[i]);
                if (_pinned[i] != 0)
                {
                    _ = MemoryManagement.cuMemFreeHost(_pinned[i]);
                }
            }
        }
    }
}
