using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

/// <summary>
/// Tests of the device's core on the software GPU: each gives back all that it took, of the driver and of the pool.
/// </summary>
internal abstract class CudaFixture
{
    private long _blocks;

    [OneTimeSetUp]
    public void FindDevice() => _ = TestGpu.Require();

    [SetUp]
    public void CountBlocks() => _blocks = MemoryPool.LiveBlocks;

    [TearDown]
    public void RequireNothingAlive()
    {
        TestGpu.RequireNothingAlive();
        // A test that finds out in its middle that this device does not count, and is skipped, keeps its blocks.
        if (TestContext.CurrentContext.Result.Outcome.Status == NUnit.Framework.Interfaces.TestStatus.Skipped)
        {
            return;
        }

        Assert.That(MemoryPool.LiveBlocks, Is.EqualTo(_blocks), "blocks of device memory that were not given back");
    }

    protected static CudaDevice Open(CudaOptions? options = null, KernelSource? kernels = null)
    {
        TestGpu.StartAnew();
        return new CudaDevice(0, options, kernels ?? TestKernels.Source);
    }

    /// <summary>Integers in device memory; the caller frees them.</summary>
    protected static Tensor Ints(CudaDevice device, params int[] values)
    {
        var tensor = new Tensor(device.Allocate(values.Length * sizeof(int)), DType.Int32, new Shape(values.Length));
        device.Upload(MemoryMarshal.AsBytes<int>(values), tensor);
        return tensor;
    }

    protected static int[] Read(CudaDevice device, Tensor tensor)
    {
        int[] values = new int[tensor.Count];
        device.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Adds 1 to each.</summary>
    protected static void Increment(CudaDevice device, Tensor values, int beyond = 0) => device.Launch(
        TestKernels.Family, TestKernels.Increment, new Grid(((int)values.Count + beyond + 31) / 32, 32),
        new TestKernels.Arguments(values.Address, (int)values.Count + beyond));
}
