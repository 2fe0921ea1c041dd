using FastNN.Cli;
using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

/// <summary>cuBLAS's wrapper, on the software library.</summary>
internal sealed class BlasTests : CudaFixture
{
    private static readonly string[] Opening =
        ["cublasCreate_v2", "cublasSetStream_v2", "cublasSetWorkspace_v2", "cublasSetMathMode", "cublasSetPointerMode_v2"];

    [Test]
    public void Products_match_their_definition(
        [Values] bool transposeA, [Values] bool transposeB, [Values(0f, 1f)] float beta,
        [Values("1 1 1", "3 7 13", "17 31 33", "64 10 128", "129 65 1")] string sizes)
    {
        int[] s = [.. sizes.Split(' ').Select(int.Parse)];
        using CudaDevice device = Open();
        Compare(device, new Product(transposeA, transposeB, s[0], s[1], s[2], beta, Padding: 0));
    }

    [Test]
    public void Rows_may_lie_apart([Values] bool transposeA, [Values] bool transposeB)
    {
        using CudaDevice device = Open();
        Compare(device, new Product(transposeA, transposeB, 5, 6, 7, 1, Padding: 3));
    }

    [Test]
    public void One_handle_serves_all_and_nothing_is_allocated_after_it()
    {
        using CudaDevice device = Open();
        using var memory = new DeviceNumbers(device);
        (nint a, nint b, nint c) = (memory.Put(new float[12]), memory.Put(new float[12]), memory.Put(new float[9]));
        void Multiply() => device.Blas.Gemm(false, false, 3, 3, 4, a, 4, b, 3, 0, c, 3);
        Multiply();
        TestGpu.Software.ResetCounters();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
        {
            Multiply();
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        DeviceCounts counts = TestGpu.Software.Counts();
        Assert.That(counts.Calls.GetValueOrDefault("cublasSgemm_v2"), Is.EqualTo(10));
        Assert.That(
            counts.Calls.Keys.Where(call => call.StartsWith("cublas", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "cublasSgemm_v2" }));
        Assert.That(counts.Allocations, Is.Zero);
    }

    [Test]
    public void A_captured_product_counts_as_one_kernel_and_replays()
    {
        using CudaDevice device = Open();
        using var memory = new DeviceNumbers(device);
        (nint a, nint b, nint c) = (memory.Put([2]), memory.Put([3]), memory.Put([1]));
        void Add() => device.Blas.Gemm(false, false, 1, 1, 1, a, 1, b, 1, 1, c, 1);
        Assert.That(() => device.Capture(Add), Throws.TypeOf<DeviceException>().With.Message.Contains("must have run before"));
        Add();
        using ILaunchGraph graph = device.Capture(Add)!;
        Assert.That(graph.Kernels, Is.EqualTo(1));
        graph.Launch();
        graph.Launch();
        Assert.That(memory.Get(c, 1), Is.EqualTo(new[] { 19f }));
    }

    [Test]
    public void A_failed_product_names_call_code_and_sizes()
    {
        using CudaDevice device = Open();
        using var memory = new DeviceNumbers(device);
        nint numbers = memory.Put(new float[12]);
        void Multiply() => device.Blas.Gemm(true, false, 2, 3, 4, numbers, 2, numbers, 3, 0, numbers, 3);
        Multiply();
        Fail("cublasSgemm_v2:1:13");
        Assert.That(
            Multiply, Throws.TypeOf<DeviceException>().With.Message.Contains("cublasSgemm_v2 failed with ExecutionFailed (13)")
            .And.Message.Contains("[2,4] by [4,3]"));
        Multiply();
    }

    [Test]
    public void Opening_that_fails_is_named_and_can_be_tried_again([ValueSource(nameof(Opening))] string call)
    {
        using CudaDevice device = Open();
        using var memory = new DeviceNumbers(device);
        nint numbers = memory.Put(new float[1]);
        void Multiply() => device.Blas.Gemm(false, false, 1, 1, 1, numbers, 1, numbers, 1, 0, numbers, 1);
        long before = TestGpu.Software.Counts().LiveAllocations;
        Fail($"{call}:1:3");
        Assert.That(Multiply, Throws.TypeOf<DeviceException>().With.Message.Contains($"{call} failed with AllocFailed (3)")
            .And.Message.Contains("memory is used up"));
        Assert.That(TestGpu.Software.Counts().LiveAllocations, Is.EqualTo(before));
        Multiply();
    }

    [Test]
    public void Without_the_workspaces_memory_nothing_is_left()
    {
        using CudaDevice device = Open();
        using var memory = new DeviceNumbers(device);
        nint numbers = memory.Put(new float[1]);
        void Multiply() => device.Blas.Gemm(false, false, 1, 1, 1, numbers, 1, numbers, 1, 0, numbers, 1);
        Fail("cuMemAlloc_v2:1:2");
        Assert.That(Multiply, Throws.TypeOf<DeviceException>().With.Message.Contains("ErrorOutOfMemory (2)"));
        Multiply();
    }

    [Test]
    public void Without_the_library_every_path_tried_is_named()
    {
        string folder = Directory.CreateTempSubdirectory("fastnn-no-cublas-").FullName;
        try
        {
            TestGpu.Create().Dispose();
            string driver = Path.Combine(TestGpu.Folder, "libcuda.so.1");
            File.Copy(driver, Path.Combine(folder, "libcuda.so.1"));
            (int code, string output, string error) = NoDriverTests.Run(folder, "devices");
            Assert.That(code, Is.Zero, error);
            Assert.That(output, Does.Contain("cuBLAS   not available").And.Contain(Path.Combine(folder, "libcublas.so.12"))
                .And.Contain(Path.Combine(folder, "libcublas.so.13")).And.Contain("cuDNN    not available").And.Contain(
                    Path.Combine(folder, "libcudnn.so.9")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Compare(CudaDevice device, Product p)
    {
        var random = new Random(1);
        int lda = (p.TransposeA ? p.M : p.K) + p.Padding, ldb = (p.TransposeB ? p.K : p.N) + p.Padding, ldc = p.N + p.Padding;
        float[] a = Numbers(random, lda * (p.TransposeA ? p.K : p.M)), b = Numbers(random, ldb * (p.TransposeB ? p.N : p.K)),
        c = Numbers(random, ldc * p.M);
        if (p.Beta == 0)
        {
            // What C held must not matter.
            Array.Fill(c, float.NaN);
        }

        double[] expected = [.. c.Select(value => (double)value)];
        for (int i = 0; i < p.M; i++)
        {
            for (int j = 0; j < p.N; j++)
            {
                double sum = p.Beta == 0 ? 0 : p.Beta * (double)c[(i * ldc) + j];
                for (int k = 0; k < p.K; k++)
                {
                    sum += (double)a[p.TransposeA ? (k * lda) + i : (i * lda) + k] * b[
                        p.TransposeB ? (j * ldb) + k : (k * ldb) + j];
                }

                expected[(i * ldc) + j] = sum;
            }
        }

        using var memory = new DeviceNumbers(device);
        (nint aAt, nint bAt, nint cAt) = (memory.Put(a), memory.Put(b), memory.Put(c));
        device.Blas.Gemm(p.TransposeA, p.TransposeB, p.M, p.N, p.K, aAt, lda, bAt, ldb, p.Beta, cAt, ldc);
        float[] actual = memory.Get(cAt, c.Length);
        for (int i = 0; i < actual.Length; i++)
        {
            if (i % ldc < p.N)
            {
                Near.Check($"C[{i / ldc},{i % ldc}]", actual[i], expected[i], 1e-6 * Math.Sqrt(p.K));
            }
            else
            {
                Assert.That(actual[i], Is.EqualTo(c[i]), "between rows nothing is touched");
            }
        }
    }

    private static float[] Numbers(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

    private static void Fail(string failures) => Assert.That(TestGpu.Software.Set("SOFTCUDA_FAIL", failures), Is.True, failures);

    private sealed record Product(bool TransposeA, bool TransposeB, int M, int N, int K, float Beta, int Padding);
}
