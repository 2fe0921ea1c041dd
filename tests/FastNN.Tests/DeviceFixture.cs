using FastNN.Cpu;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Tests;

/// <summary>A fixture whose tests share a device of one thread and one of two.</summary>
internal abstract class DeviceFixture
{
    private long _blocksBefore;
    private CpuDevice? _one;
    private CpuDevice? _two;

    /// <summary>One thread.</summary>
    protected IDevice One => _one!;

    /// <summary>Two threads.</summary>
    protected IDevice Two => _two!;

    [OneTimeSetUp]
    public void CreateDevices()
    {
        _blocksBefore = HostMemory.LiveBlocks;
        _one = new CpuDevice(1);
        _two = new CpuDevice(2);
    }

    [OneTimeTearDown]
    public void DisposeDevices()
    {
        _one?.Dispose();
        _two?.Dispose();
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(_blocksBefore), "disposed devices kept native blocks alive");
    }
}
