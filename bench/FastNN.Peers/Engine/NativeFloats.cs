using FastNN.Tensors;

namespace FastNN.Peers;

/// <summary>A block of the engine's own memory, so that alignment is what the kernels get in use.</summary>
internal sealed unsafe class NativeFloats : IDisposable
{
    private readonly long _count;

    public NativeFloats(long count)
    {
        _count = count;
        Pointer = (float*)HostMemory.Allocate(count * sizeof(float), clear: true);
    }

    public float* Pointer { get; private set; }

    /// <summary>Values uniform in [-0.5, 0.5), the same for each seed.</summary>
    public static NativeFloats Random(long count, int seed)
    {
        var block = new NativeFloats(count);
        var random = new Random(seed);
        for (long i = 0; i < block._count; i++)
        {
            block.Pointer[i] = random.NextSingle() - 0.5f;
        }

        return block;
    }

    public void Dispose()
    {
        HostMemory.Free(Pointer);
        Pointer = null;
    }
}
