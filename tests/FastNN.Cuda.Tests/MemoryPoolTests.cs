using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

/// <summary>Device memory: kept, reused, limited, counted.</summary>
internal sealed class MemoryPoolTests : CudaFixture
{
    [Test]
    public void Memory_comes_zeroed_and_aligned()
    {
        using CudaDevice device = Open();
        Tensor tensor = Ints(device, 1, 2, 3);
        Assert.That((long)tensor.Address % 256, Is.Zero);
        device.Free(tensor.Address);
        // The same block, since it is of the same size.
        var again = new Tensor(device.Allocate(3 * sizeof(int)), DType.Int32, new Shape(3));
        Assert.That(again.Address, Is.EqualTo(tensor.Address));
        Assert.That(Read(device, again), Has.All.Zero);
        device.Free(again.Address);
    }

    [Test]
    public void Blocks_are_reused_without_the_driver()
    {
        using CudaDevice device = Open();
        device.Free(device.Allocate(4096));
        long before = device.MemoryUse.Allocations;
        for (int i = 0; i < 10; i++)
        {
            device.Free(device.Allocate(4096));
        }

        Assert.That(device.MemoryUse.Allocations, Is.EqualTo(before));
        Assert.That(
            device.MemoryUse,
            Is.EqualTo(
                new DeviceMemory { LiveBytes = 0, CachedBytes = 4096, PeakBytes = 4096, LiveBlocks = 0, Allocations = 1 }));
    }

    [Test]
    public void Trim_gives_back_what_no_one_holds()
    {
        using CudaDevice device = Open();
        nint held = device.Allocate(1000);
        device.Free(device.Allocate(5000));
        long before = TestGpu.Software.Counts().LiveAllocations;
        device.Trim();
        Assert.That(TestGpu.Software.Counts().LiveAllocations, Is.EqualTo(before - 1));
        Assert.That(
            device.MemoryUse,
            Is.EqualTo(
                new DeviceMemory { LiveBytes = 1000, CachedBytes = 0, PeakBytes = 6000, LiveBlocks = 1, Allocations = 2 }));
        device.Trim();
        device.Free(held);
    }

    [Test]
    public void A_block_of_nothing_has_an_address_of_its_own()
    {
        using CudaDevice device = Open();
        nint first = device.Allocate(0);
        nint second = device.Allocate(0);
        Assert.That(first, Is.Not.Zero.And.Not.EqualTo(second));
        device.Free(first);
        device.Free(second);
        device.Free(0);
    }

    [Test]
    public void A_limit_holds_and_is_named()
    {
        using CudaDevice device = Open(new CudaOptions { MemoryLimit = 100_000 });
        nint block = device.Allocate(60_000);
        Assert.That(() => device.Allocate(50_000), Throws.TypeOf<DeviceException>().With.Message.Contains("50000 bytes")
            .And.Message.Contains("60000 bytes").And.Message.Contains("100000 bytes").And.Message.Contains("MemoryLimit"));
        device.Free(block);
        // What is only kept makes room.
        nint other = device.Allocate(90_000);
        Assert.That(device.MemoryUse.CachedBytes, Is.Zero);
        device.Free(other);
    }

    [Test]
    public void A_negative_limit_is_refused() =>
        Assert.That(() => Open(new CudaOptions { MemoryLimit = -1 }), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Memory_that_is_not_to_be_had_is_named_and_kept_blocks_make_room()
    {
        Assert.That(TestGpu.Software.Set("SOFTCUDA_MEMORY", "64M"), Is.True);
        try
        {
            using CudaDevice device = Open();
            Assert.That(() => device.Allocate(1L << 30), Throws.TypeOf<DeviceException>().With.Message.Contains("1.00 GiB")
                .And.Message.Contains("64.0 MiB").And.Message.Contains("smaller batch"));
            device.Free(device.Allocate(40 << 20));
            nint block = device.Allocate(50 << 20);
            Assert.That(device.MemoryUse.CachedBytes, Is.Zero, "the kept block was given up");
            Assert.That(
                Read(device, new Tensor(block, DType.Int32, new Shape(1))), Is.EqualTo(new[] { 0 }), "the device works on");
            device.Free(block);
        }
        finally
        {
            Assert.That(TestGpu.Software.Set("SOFTCUDA_MEMORY", "4G"), Is.True);
        }
    }

    [Test]
    public void Blocks_of_about_the_size_are_reused_where_nobody_checks_accesses()
    {
        using CudaDevice device = Open();
        var pool = new MemoryPool(device, limit: 0, exact: false);
        nint first = pool.Take(100_000);
        pool.Return(first);
        nint close = pool.Take(95_000);
        Assert.That(close, Is.EqualTo(first), "an eighth may be wasted");
        pool.Return(close);
        nint smaller = pool.Take(50_000);
        Assert.That(smaller, Is.Not.EqualTo(first), "a half may not");
        nint larger = pool.Take(100_001);
        Assert.That(larger, Is.Not.EqualTo(first), "too small is too small");
        pool.Return(smaller);
        pool.Return(larger);
        Assert.That(pool.Take(100_000), Is.EqualTo(first), "the smallest that fits, not the largest");
        pool.Return(first);
        pool.Trim();
    }

    [Test]
    public void What_is_no_block_is_refused()
    {
        using CudaDevice device = Open();
        nint block = device.Allocate(10);
        device.Free(block);
        Assert.That(() => device.Free(block), Throws.TypeOf<ArgumentException>().With.Message.Contains("freed before"));
    }

    [Test]
    public void Blocks_that_outlive_the_device_still_count_until_they_come_back()
    {
        CudaDevice device = Open();
        long before = MemoryPool.LiveBlocks;
        nint block = device.Allocate(10);
        device.Dispose();
        Assert.That(MemoryPool.LiveBlocks, Is.EqualTo(before + 1));
        device.Free(block);
        Assert.That(MemoryPool.LiveBlocks, Is.EqualTo(before));
    }
}
