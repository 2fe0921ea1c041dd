using FastNN.Kernels;
using FastNN.Tensors;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

internal abstract unsafe partial class CudaCore
{
    public IReadback CreateReadback(params ReadOnlySpan<Tensor> sources)
    {
        using Lock.Scope scope = Enter();
        RefuseWhileCapturing("allocated");
        return new Readback(this, [.. sources]);
    }

    /// <summary>
    /// Results in one pinned block of their own: nothing is taken when they are read, and nothing waits before.
    /// </summary>
    private sealed class Readback : Resource, IReadback
    {
        private const int Alignment = 64;

        private readonly Tensor[] _sources;
        private readonly int[] _offsets;
        private readonly IntPtr _memory;
        private readonly CUevent _arrived;
        private bool _here = true;
        private bool _begun;

        public Readback(CudaCore core, Tensor[] sources)
            : base(core)
        {
            _sources = sources;
            _offsets = new int[sources.Length];
            long bytes = 0;
            for (int i = 0; i < sources.Length; i++)
            {
                _offsets[i] = checked((int)bytes);
                bytes = (bytes + sources[i].Bytes + Alignment - 1) & ~(long)(Alignment - 1);
            }

            try
            {
                _memory = core.AllocatePinned(Math.Max(bytes, Alignment));
                _arrived = core.CreateEvent();
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public void Begin()
        {
            using Lock.Scope scope = Enter();
            Core.RefuseWhileCapturing("read back");
            for (int i = 0; i < _sources.Length; i++)
            {
                Core.Check(AsynchronousMemcpy_v2.cuMemcpyDtoHAsync_v2(
                    _memory + _offsets[i], Pointer(_sources[i].Address), _sources[i].Bytes, Core._compute));
            }

            Core.Check(Events.cuEventRecord(_arrived, Core._compute));
            (_begun, _here) = (true, false);
        }

        public ReadOnlySpan<byte> Read(int index)
        {
            if (!_begun)
            {
                throw new InvalidOperationException("cuda: nothing was begun to be read back.");
            }

            if (!_here)
            {
                Core.Wait(_arrived);
                _here = true;
            }

            return new((byte*)_memory + _offsets[index], checked((int)_sources[index].Bytes));
        }

        protected override void Release()
        {
            // A copy that is under way must not end in memory that is somebody else's by then.
            if (!_here && _arrived.Pointer != 0)
            {
                _ = Events.cuEventSynchronize(_arrived);
            }

            if (_arrived.Pointer != 0)
            {
                _ = Events.cuEventDestroy_v2(_arrived);
            }

            if (_memory != 0)
            {
                _ = MemoryManagement.cuMemFreeHost(_memory);
            }
        }
    }
}
