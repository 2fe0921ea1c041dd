using FastNN.Cpu;

namespace FastNN.Peers;

internal sealed unsafe class GemmContender : IContender
{
    private readonly int _size;
    private readonly WorkerPool _pool;
    private readonly NativeFloats _a, _b, _c;

    public GemmContender(GemmCase @case, int threads)
    {
        _size = @case.Size;
        _pool = new WorkerPool(threads);
        long count = (long)_size * _size;
        _a = NativeFloats.Random(count, 1);
        _b = NativeFloats.Random(count, 2);
        _c = new NativeFloats(count);
    }

    public string Name => "fastnn";

    public void Step() => Gemm.Run(
        _pool, transA: false, transB: false, _size, _size, _size,
        _a.Pointer, _size, _b.Pointer, _size, _c.Pointer, _size, Epilogue.Store);

    public void Dispose()
    {
        _pool.Dispose();
        _a.Dispose();
        _b.Dispose();
        _c.Dispose();
    }
}
