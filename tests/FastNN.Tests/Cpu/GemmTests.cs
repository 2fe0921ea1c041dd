using FastNN.Cpu;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

/// <summary>The matrix product on every rung that the processor runs, against the product in double.</summary>
[TestFixture(typeof(Lanes512))]
[TestFixture(typeof(Lanes256))]
[TestFixture(typeof(Lanes128))]
[TestFixture(typeof(Lanes1))]
internal sealed unsafe class GemmTests<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    private static readonly Activation[] Functions =
    [
        Activation.ReLU, Activation.LeakyReLU(0.2f), Activation.LeakyReLU(-0.5f), Activation.Sigmoid, Activation.Tanh,
        Activation.GeluTanh,
    ];

    private static readonly int[] Odd = [1, 3, 7, 13, 17, 31, 33, 129];
    private long _blocks;

    // One shape for each way through the product, and for each kind of remainder.
    private static readonly (int M, int N, int K)[] Ways =
    [
        (1, 64, 784), (1, 300, 77), (1, 290, 8), (1, 261, 16), (1, 1100, 130), (1, 128, 1100), (1, 17, 8000), (1, 999, 261),
        (32, 64, 784), (784, 64, 32), (4, 84, 120), (64, 10, 32), (200, 70, 500),
        (300, 1100, 400), (13, 33, 9000), (27, 32, 5000), (150, 500, 900), (755, 421, 801),
    ];

    [SetUp]
    public void Prepare()
    {
        Assume.That(TLanes.IsSupported, "this processor has no such vectors");
        _blocks = HostMemory.LiveBlocks;
    }

    [TearDown]
    public void EveryBlockCameBack() => Assert.That(HostMemory.LiveBlocks, Is.EqualTo(_blocks));

    [Test]
    public void OddShapes([Values] bool transA, [Values] bool transB)
    {
        using var pool = new WorkerPool(2);
        foreach (int m in Odd)
        {
            foreach (int n in Odd)
            {
                foreach (int k in Odd)
                {
                    Check(pool, m, n, k, transA, transB, bias: m % 3 == 0, Activation.None, accumulate: n % 3 == 0);
                }
            }
        }
    }

    [Test]
    public void EveryWay([Values] bool transA, [Values] bool transB, [Values] bool accumulate)
    {
        using var pool = new WorkerPool(2);
        foreach ((int m, int n, int k) in Ways)
        {
            Check(pool, m, n, k, transA, transB, bias: true, accumulate ? Activation.None : Activation.ReLU, accumulate);
        }
    }

    [Test]
    public void AnEmptySumIsTheEpilogueOfZero([Values] bool transA, [Values] bool transB, [Values] bool accumulate)
    {
        using var pool = new WorkerPool(1);
        foreach ((int m, int n) in new[] { (1, 1), (1, 40), (5, 17), (60, 33), (200, 200) })
        {
            Check(pool, m, n, 0, transA, transB, bias: true, Activation.None, accumulate);
            Check(pool, m, n, 0, transA, transB, bias: false, Activation.None, accumulate);
        }
    }

    [Test]
    public void Activations(
        [ValueSource(nameof(Functions))] Activation activation, [Values] bool bias)
    {
        using var pool = new WorkerPool(2);
        (int M, int N, int K)[] shapes = [(1, 10, 64), (1, 70, 600), (4, 84, 30), (33, 17, 500), (2, 9, 64), (100, 200, 500)];
        foreach ((int m, int n, int k) in shapes)
        {
            Check(pool, m, n, k, false, false, bias, activation, accumulate: false);
            Check(pool, m, n, k, false, true, bias, activation, accumulate: false);
        }
    }

    [Test]
    public void ThreadsDoNotChangeABit([Values] bool transA, [Values] bool transB)
    {
        using var one = new WorkerPool(1);
        using var two = new WorkerPool(2);
        using var three = new WorkerPool(3);
        foreach ((int m, int n, int k) in Ways)
        {
            using var product = new GemmCase(m, n, k, transA, transB, true, Activation.LeakyReLU(0.1f), accumulate: false);
            float[] expected = Run(one, product);
            Assert.That(SameBits(Run(two, product), expected), $"2 threads, {m}x{n}x{k}");
            Assert.That(SameBits(Run(three, product), expected), $"3 threads, {m}x{n}x{k}");
        }
    }

    [Test]
    public void ConcurrentCallersDoNotMeet()
    {
        using var pool = new WorkerPool(2);
        using var product = new GemmCase(150, 500, 300, false, false, true, Activation.ReLU, accumulate: false);
        float[] expected = Run(pool, product);
        int wrong = 0;
        Parallel.For(0, 4, _ =>
        {
            using var own = new GemmCase(150, 500, 300, false, false, true, Activation.ReLU, accumulate: false);
            for (int repeat = 0; repeat < 5; repeat++)
            {
                Interlocked.Add(ref wrong, SameBits(Run(pool, own), expected) ? 0 : 1);
            }
        });
        Assert.That(wrong, Is.Zero);
    }

    [Test]
    public void PackedWeights([Values(1, 2, 4, 33, 129)] int m, [Values] bool transposed)
    {
        using var pool = new WorkerPool(2);
        foreach ((int n, int k) in new[] { (1, 1), (10, 64), (64, 784), (33, 31), (84, 7), (129, 600), (0, 5), (5, 0) })
        {
            using var product = new GemmCase(m, n, k, false, transposed, true, Activation.ReLU, accumulate: false);
            Product p = product.Product;
            using var packed = PackedMatrix.Create<TLanes>(k, n, p.B, p.Ldb, transposed);
            p.Panels = packed.Panels;
            p.PanelStride = packed.PanelStride;
            p.TransB = false;
            p.B = null;
            Gemm<TLanes>.Run(pool, p);
            product.Check();
        }
    }

    [Test]
    public void NothingIsAllocated()
    {
        using var pool = new WorkerPool(2);
        foreach ((int m, int n, int k) in Ways)
        {
            using var product = new GemmCase(m, n, k, false, true, true, Activation.ReLU, accumulate: false);
            Product p = product.Product;
            Gemm<TLanes>.Run(pool, p);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Gemm<TLanes>.Run(pool, p);
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero, $"{m}x{n}x{k}");
        }
    }

    [Test]
    public void NaNAndInfinityAreNotSwallowed()
    {
        using var pool = new WorkerPool(1);
        using var product = new GemmCase(13, 40, 5, false, false, false, Activation.ReLU, accumulate: false);
        Product p = product.Product;
        p.A[0] = float.NaN;
        p.A[p.Lda] = float.PositiveInfinity;
        Gemm<TLanes>.Run(pool, p);
        for (int j = 0; j < p.N; j++)
        {
            Assert.That(p.C[j], Is.NaN);
            Assert.That(p.C[p.Ldc + j], Is.EqualTo(p.B[j] > 0 ? float.PositiveInfinity : 0));
        }
    }

    [Test]
    public void WhatIsTimesZeroIsLeftOutOfARow(
        [Values(0, 0.1, 0.5, 0.8, 0.999, 1)] double zeros, [Values] bool bias, [Values] bool accumulate)
    {
        using var pool = new WorkerPool(2);
        foreach ((int m, int n, int k) in Ways.Where(way => way.M == 1))
        {
            using var product = new GemmCase(m, n, k, false, false, bias, Activation.None, accumulate);
            Product p = product.Product;
            ClearSome(p, zeros);
            using var frozen = new FrozenValues();
            Gemm<TLanes>.Run(pool, frozen, p);
            product.Check();
            float[] together = product.Result;
            using var one = new WorkerPool(1);
            product.Reset();
            Gemm<TLanes>.Run(one, frozen, p);
            Assert.That(SameBits(product.Result, together), $"1 thread, {n}x{k}");
        }
    }

    [Test]
    public void ZeroTimesInfinityOfAFrozenMatrixIsNaN([Values(float.NaN, float.NegativeInfinity)] float bad)
    {
        using var pool = new WorkerPool(1);
        foreach ((int m, int n, int k) in Ways.Where(way => way.M == 1))
        {
            using var product = new GemmCase(m, n, k, false, false, true, Activation.None, accumulate: false);
            Product p = product.Product;
            ClearSome(p, 1);
            p.B[((k / 2) * p.Ldb) + n - 1] = bad;
            using var frozen = new FrozenValues();
            Gemm<TLanes>.Run(pool, frozen, p);
            Assert.That(p.C[n - 1], Is.NaN, $"{n}x{k}");
            Assert.That(float.IsFinite(p.C[n - 2]), $"{n}x{k}");
        }
    }

    private static void ClearSome(in Product p, double share)
    {
        var random = new Random(p.K);
        for (int i = 0; i < p.K; i++)
        {
            p.A[i] = random.NextDouble() < share ? 0 : p.A[i];
        }
    }

    private static void Check(
        WorkerPool pool, int m, int n, int k, bool transA, bool transB,
        bool bias, Activation activation, bool accumulate)
    {
        using var product = new GemmCase(m, n, k, transA, transB, bias, activation, accumulate);
        Gemm<TLanes>.Run(pool, product.Product);
        product.Check();
    }

    private static float[] Run(WorkerPool pool, GemmCase product)
    {
        product.Reset();
        Gemm<TLanes>.Run(pool, product.Product);
        return product.Result;
    }

    private static bool SameBits(float[] x, float[] y) =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(x.AsSpan())
            .SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes(y.AsSpan()));
}
