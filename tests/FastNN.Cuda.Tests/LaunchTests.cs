using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

/// <summary>Kernels launched one by one and captured, from many threads, and what is refused.</summary>
internal sealed class LaunchTests : CudaFixture
{
    [Test]
    public void A_kernel_gets_its_struct([Values(1, 31, 32, 33, 1000)] int count)
    {
        using CudaDevice device = Open();
        Tensor values = Ints(device, [.. Enumerable.Range(0, count)]);
        Increment(device, values);
        Increment(device, values);
        Assert.That(Read(device, values), Is.EqualTo(Enumerable.Range(2, count)));
        device.Free(values.Address);
    }

    [Test]
    public void Launches_allocate_nothing()
    {
        using CudaDevice device = Open();
        Tensor values = Ints(device, 0);
        Increment(device, values);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Increment(device, values);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(Read(device, values), Is.EqualTo(new[] { 101 }));
        device.Free(values.Address);
    }

    [Test]
    public void A_grid_without_blocks_launches_nothing()
    {
        using CudaDevice device = Open();
        TestGpu.Software.ResetCounters();
        device.Launch(TestKernels.Family, TestKernels.Increment, new Grid(0, 32), new TestKernels.Arguments(0, 0));
        Assert.That(TestGpu.Software.Counts().Kernels, Is.Empty);
    }

    [Test]
    public void Shared_memory_beyond_the_default_is_asked_for()
    {
        using CudaDevice device = Open();
        Tensor values = Ints(device, 0);
        foreach (int bytes in (int[])[1000, 64 * 1024, 96 * 1024, 64 * 1024])
        {
            device.Launch(
                TestKernels.Family, TestKernels.SharedSize, new Grid(1, 1, Shared: bytes),
                new TestKernels.Arguments(values.Address, 0));
            Assert.That(Read(device, values), Is.EqualTo(new[] { bytes }));
        }

        device.Free(values.Address);
    }

    [Test]
    public void Captured_work_runs_when_it_is_launched()
    {
        using CudaDevice device = Open();
        Tensor values = Ints(device, 5, 6);
        Increment(device, values);
        using ILaunchGraph graph = device.Capture(() =>
        {
            Increment(device, values);
            Increment(device, values);
        })!;
        Assert.That(graph.Kernels, Is.EqualTo(2));
        Assert.That(Read(device, values), Is.EqualTo(new[] { 6, 7 }), "captured, not run");
        long before = GC.GetAllocatedBytesForCurrentThread();
        graph.Launch();
        graph.Launch();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(Read(device, values), Is.EqualTo(new[] { 10, 11 }));
        device.Free(values.Address);
    }

    [Test]
    public void What_a_capture_may_not_do_ends_it_and_the_device_works_on()
    {
        using CudaDevice device = Open();
        Tensor values = Ints(device, 1);
        Increment(device, values);
        Action[] forbidden =
        [
            () => device.Allocate(10),
            () => device.Upload(new byte[4], values),
            () => device.Download(values, new byte[4]),
            () => device.CreateReadback(values),
            () => device.CreateFeed(10),
            () => device.Trim(),
            () => device.Capture(() => { }),
        ];
        foreach (Action act in forbidden)
        {
            Assert.That(
                () => device.Capture(act), Throws.TypeOf<DeviceException>().With.Message.Contains("while work is captured"));
            Assert.That(device.IsCapturing, Is.False);
        }

        Assert.That(() => device.Capture(() => throw new ArithmeticException("mine")), Throws.TypeOf<ArithmeticException>());
        Increment(device, values);
        Assert.That(Read(device, values), Is.EqualTo(new[] { 3 }));
        device.Free(values.Address);
    }

    [Test]
    public void Kernels_that_were_never_loaded_are_not_captured()
    {
        var source = new KernelSource(new Dictionary<string, Func<byte[]>>
        {
            ["a"] = () => System.Text.Encoding.UTF8.GetBytes(TestKernels.Text),
            ["b"] = () => System.Text.Encoding.UTF8.GetBytes(TestKernels.Text),
        });
        using CudaDevice device = Open(kernels: source);
        Assert.That(
            () => device.Capture(
                () => device.Launch("b", TestKernels.Increment, new Grid(1, 1), new TestKernels.Arguments(0, 0))),
            Throws.TypeOf<DeviceException>().With.Message.Contains("must have run before"));
    }

    [Test]
    public void Other_threads_wait_while_work_is_captured()
    {
        using CudaDevice device = Open();
        Tensor values = Ints(device, 0), others = Ints(device, 0);
        Increment(device, values);
        using var capturing = new ManualResetEventSlim();
        Task other = Task.Run(() =>
        {
            capturing.Wait();
            Increment(device, others);
            nint block = device.Allocate(100);
            device.Free(block);
        });
        using ILaunchGraph graph = device.Capture(() =>
        {
            capturing.Set();
            Thread.Sleep(50);
            Increment(device, values);
        })!;
        other.Wait();
        Assert.That(graph.Kernels, Is.EqualTo(1));
        Assert.That((Read(device, values)[0], Read(device, others)[0]), Is.EqualTo((1, 1)));
        device.Free(values.Address);
        device.Free(others.Address);
    }

    [Test]
    public void Any_thread_may_launch()
    {
        const int threads = 8, each = 20;
        using CudaDevice device = Open();
        Tensor values = Ints(device, new int[100]);
        var workers = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < each; i++)
            {
                Increment(device, values);
                if (i % 5 == 0)
                {
                    Read(device, values);
                }
            }
        })).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        Assert.That(Read(device, values), Has.All.EqualTo(threads * each));
        device.Free(values.Address);
    }

    [Test]
    public void Two_devices_take_turns_on_one_thread()
    {
        using CudaDevice one = Open(), two = Open();
        Tensor first = Ints(one, 1), second = Ints(two, 10);
        for (int i = 0; i < 3; i++)
        {
            Increment(one, first);
            Increment(two, second);
        }

        Assert.That((Read(one, first)[0], Read(two, second)[0]), Is.EqualTo((4, 13)));
        one.Free(first.Address);
        two.Free(second.Address);
    }

    [Test]
    public void Wrong_structs_names_and_families_are_named()
    {
        using CudaDevice device = Open();
        Assert.That(
            () => device.Launch(TestKernels.Family, TestKernels.Increment, new Grid(1, 1), 5L),
            Throws.TypeOf<DeviceException>().With.Message.Contains("16 bytes").And.Message.Contains("8"));
        Assert.That(
            () => device.Launch(TestKernels.Family, "nothing", new Grid(1, 1), 5L),
            Throws.TypeOf<DeviceException>().With.Message.Contains("nothing").And.Message.Contains("different builds"));
        Assert.That(
            () => device.Launch("nowhere", "nothing", new Grid(1, 1), 5L),
            Throws.TypeOf<DeviceException>().With.Message.Contains("nowhere"));
    }

    [Test]
    public void Parameters_are_read_from_the_text()
    {
        const string text = """
            .version 7.0
            .target sm_80
            .visible .entry a(
            	.param .align 8 .b8 a_param_0[40]
            )
            .maxntid 256, 1, 1
            { ret; }
            .visible .entry b(.param .u32 b_param_0) { ret; }
            .entry c() { ret; }
            .entry d(
            	.param .u64 d_param_0,
            	.param .f32 d_param_1
            )
            { ret; }
            """;
        Assert.That(
            Ptx.ParameterBytes(text),
            Is.EquivalentTo(new Dictionary<string, int> { ["a"] = 40, ["b"] = 4, ["c"] = -1, ["d"] = -1 }));
        Assert.That((Ptx.Directive(text, ".version"), Ptx.Directive(text, ".target")), Is.EqualTo(("7.0", "sm_80")));
        Assert.That(
            new[] { "7.0", "7.8", "8.5", "8.6", "8.8", "9.1", "" }.Select(version => Ptx.LeastCuda(version)?.ToString()),
            Is.EqualTo(new[] { "11.0", "11.8", "12.5", "12.7", "12.9", "13.1", null }));
        Assert.That(
            (Ptx.Capability("sm_80"), Ptx.Capability("sm_90a"), Ptx.Capability("x")),
            Is.EqualTo((new Version(8, 0), new Version(9, 0), (Version?)null)));
    }
}
