using FastNN.Cpu;
using FastNN.Cuda;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Testing;

/// <summary>A fixture whose tests share a CPU of one thread, one of two, and the software GPU.</summary>
internal abstract class DeviceFixture
{
    private long _blocksBefore;
    private CpuDevice? _one;
    private CpuDevice? _two;
    private CudaDevice? _gpu;

    /// <summary>One thread.</summary>
    protected IDevice One => _one!;

    /// <summary>Two threads.</summary>
    protected IDevice Two => _two!;

    /// <summary>CUDA on the software device, made when a test asks for it; its findings fail the test that made them.</summary>
    protected IDevice Gpu => _gpu ??= TestGpu.Create();

    [OneTimeSetUp]
    public void CreateDevices()
    {
        _blocksBefore = HostMemory.LiveBlocks;
        _one = new CpuDevice(1);
        _two = new CpuDevice(2);
    }

    [TearDown]
    public void NoFindings()
    {
        if (_gpu is not null)
        {
            TestGpu.RequireNoFindings();
        }
    }

    [OneTimeTearDown]
    public void DisposeDevices()
    {
        _one?.Dispose();
        _two?.Dispose();
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(_blocksBefore), "disposed devices kept native blocks alive");
        if (_gpu is not null)
        {
            _gpu.Dispose();
            TestGpu.RequireNothingAlive();
        }
    }
}
