using FastNN.Cpu;

namespace FastNN.Peers;

internal sealed unsafe class GemmContender : IContender
{
    private readonly GemmCase _case;
    private readonly WorkerPool _pool;
    private readonly NativeFloats _a, _b, _c;

    public GemmContender(GemmCase @case, int threads)
    {
        _case = @case;
        _pool = new WorkerPool(threads);
        _a = NativeFloats.Random((long)@case.M * @case.K, 1);
        _b = NativeFloats.Random((long)@case.K * @case.N, 2);
        _c = new NativeFloats((long)@case.M * @case.N);
    }

    public string Name => "fastnn";

    public void Step() => Gemm.Run(
        _pool, transA: false, transB: false, _case.M, _case.N, _case.K,
        _a.Pointer, _case.K, _b.Pointer, _case.N, _c.Pointer, _case.N, Epilogue.Store);

    public void Dispose()
    {
        _pool.Dispose();
        _a.Dispose();
        _b.Dispose();
        _c.Dispose();
    }
}
