using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

/// <summary>
/// What goes wrong with a driver: each case is one exception that names its cause, leaks nothing and leaves the process usable.
/// </summary>
internal sealed class DeviceErrorTests : CudaFixture
{
    /// <summary>Called when all is over, where an error has no one to tell it to.</summary>
    private static readonly string[] GivingBack =
    [
        "cuMemFree_v2", "cuMemFreeHost", "cuStreamDestroy_v2", "cuEventDestroy_v2", "cuGraphDestroy", "cuGraphExecDestroy",
        "cuModuleUnload",
        "cuDevicePrimaryCtxRelease_v2",
    ];

    /// <summary>Some of these calls are made on the way out as well.</summary>
    private static readonly string[] MayFailUnseen = ["cuStreamSynchronize", "cuCtxSetCurrent"];

    [Test]
    public void Every_call_that_fails_is_named_and_nothing_is_left(
        [Values("ErrorInvalidValue (1)", "ErrorIllegalAddress (700)")] string code)
    {
        string number = code.Split('(', ')')[1];
        TestGpu.Software.ResetCounters();
        Live();
        var calls = TestGpu.Software.Counts().Calls.Where(
            call => call.Key.StartsWith("cu", StringComparison.Ordinal) && !GivingBack.Contains(call.Key)).ToList();
        Assert.That(calls, Has.Count.GreaterThan(20));
        foreach ((string function, long count) in calls)
        {
            for (long call = 1; call <= Math.Min(count, 12); call++)
            {
                Fail($"{function}:{call}:{number}");
                try
                {
                    Live();
                    Assert.That(MayFailUnseen, Does.Contain(function), $"call {call} of {count} failed and nobody said so");
                }
                catch (DeviceException exception)
                {
                    Assert.That(exception.Message, Does.Contain(Name(function)).And.Contain(code), $"call {call} of {count}");
                }

                Fail("");
                Assert.That(
                    TestGpu.RequireNothingAlive, Throws.Nothing, $"after call {call} of {count} of {function} had failed");
            }
        }

        Live();
    }

    [Test]
    public void Giving_back_throws_nothing([ValueSource(nameof(GivingBack))] string function)
    {
        Fail($"{function}:1:1");
        Assert.That(() => Live(trim: false), Throws.Nothing);
        Fail("");
        if (function.StartsWith("cuDevicePrimaryCtxRelease", StringComparison.Ordinal))
        {
            _ = ManagedCuda.DriverAPINativeMethods.ContextManagement.cuDevicePrimaryCtxRelease(default);
        }

        // The driver gives back with the context what was not given back before, and says that it was not.
        TestGpu.Software.ClearFindings();
    }

    [Test]
    [Order(int.MaxValue)] // On a GPU it ends CUDA for this process.
    public void A_kernel_fault_ends_CUDA_for_the_process_and_says_so_ever_after()
    {
        CudaDevice device = Open();
        Tensor values = Ints(device, 1, 2, 3);
        Fault(device, values);
        string? first = Assert.Throws<DeviceException>(() => Read(device, values))!.Message;
        Assert.That(
            first,
            Does.Contain("ErrorIllegalAddress (700)").And.Contain("not its own").And.Contain(
                "restart it to use the GPU again").And.Contain("CPU remains usable"));
        TestGpu.ExpectFinding("out of bounds", "increment");
        foreach (Action act in (Action[])
            [
                () => device.Allocate(4), () => Increment(device, values), () => device.Upload(new byte[12], values),
                () => device.CreateFeed(4), () => device.Trim()])
        {
            Assert.That(() => act(), Throws.TypeOf<DeviceException>().With.Message.EqualTo(first));
        }

        device.Free(values.Address);
        Assert.That(() => device.Free(values.Address), Throws.Nothing, "what comes back twice hides no other exception");
        Assert.That(device.Dispose, Throws.Nothing);
        TestGpu.RequireNothingAlive();
        Assert.That(
            () => new CudaDevice(0, null, TestKernels.Source),
            Throws.TypeOf<DeviceException>().With.Message.Contains("failed in this process before").And.Message.Contains(
                "restart it").And.Message.Contains("(700)"));
        using (Device best = Device.Best(1))
        {
            Assert.That(best.Kind, Is.EqualTo("cpu"));
            Assert.That(best.FallbackReason, Does.Contain("restart it"));
        }

        if (TestGpu.CanStartAnew)
        {
            TestGpu.StartAnew();
            Live();
        }
    }

    [Test]
    public void The_driver_too_refuses_a_new_context_after_a_fault()
    {
        TestGpu.RequireVersion(2);
        using (CudaDevice device = Open())
        {
            Tensor values = Ints(device, 1);
            Fault(device, values);
            Assert.That(() => Read(device, values), Throws.TypeOf<DeviceException>());
            device.Free(values.Address);
        }

        TestGpu.ExpectFinding("out of bounds");
        CudaErrors.ForgetFault();
        Assert.That(
            () => new CudaDevice(0, null, TestKernels.Source),
            Throws.TypeOf<DeviceException>().With.Message.Contains(
                "cuDevicePrimaryCtxRetain failed with ErrorIllegalAddress (700)"));
        TestGpu.StartAnew();
        Live();
    }

    [Test]
    public void An_index_beyond_the_devices_is_named([Values(-1, 1, 100)] int index) =>
        Assert.That(
            () => new CudaDevice(index, null, TestKernels.Source),
            Throws.TypeOf<DeviceException>().With.Message.Contains($"no GPU {index}"));

    [Test]
    public void A_driver_without_a_device_is_named()
    {
        Assert.That(TestGpu.Software.Set("SOFTCUDA_DEVICES", "0"), Is.True);
        try
        {
            Assert.That(
                () => Open(),
                Throws.TypeOf<DeviceException>().With.Message.Contains("ErrorNoDevice (100)").And.Message.Contains("nvidia-smi"));
            CudaProbe probe = Device.ProbeCuda();
            Assert.That(probe.Devices, Is.Empty);
            Assert.That(probe.Reason, Does.Contain("ErrorNoDevice"));
            using Device best = Device.Best(1);
            Assert.That(best.Kind, Is.EqualTo("cpu"));
            Assert.That(best.FallbackReason, Does.Contain("ErrorNoDevice"));
        }
        finally
        {
            Assert.That(TestGpu.Software.Set("SOFTCUDA_DEVICES", "1"), Is.True);
        }

        Live();
    }

    [Test]
    public void A_driver_too_old_for_the_kernels_is_named() => Assert.That(
        () => Open(kernels: TestKernels.Of(TestKernels.Text.Replace(".version 7.0", ".version 8.6", StringComparison.Ordinal))),
        Throws.TypeOf<DeviceException>().With.Message.Contains("PTX 8.6").And.Message.Contains("up to 12.4").And.Message.Contains(
            "need 12.7")
            .And.Message.Contains("newer NVIDIA driver"));

    [Test]
    public void A_driver_that_finds_itself_too_old_is_named()
    {
        Fail("cuModuleLoadDataEx:1:222");
        Assert.That(() => Open(), Throws.TypeOf<DeviceException>().With.Message.Contains("UnsupportedPTXVersion (222)")
            .And.Message.Contains("PTX 7.0 for sm_80").And.Message.Contains("the driver 12.4"));
        Fail("");
    }

    [Test]
    public void A_gpu_too_old_for_the_kernels_is_named() =>
        Assert.That(
            () => Open(kernels: TestKernels.Of(TestKernels.Text.Replace("sm_80", "sm_95", StringComparison.Ordinal))),
            Throws.TypeOf<DeviceException>().With.Message.Contains("9.5 or newer"));

    [Test]
    public void Kernels_that_the_driver_refuses_are_quoted() =>
        Assert.That(
            () => Open(kernels: TestKernels.Of(TestKernels.Text.Replace("add.s32", "frobnicate.s32", StringComparison.Ordinal))),
            Throws.TypeOf<DeviceException>().With.Message.Contains("ErrorInvalidPtx (218)").And.Message.Contains("frobnicate"));

    [Test]
    public void A_build_without_kernels_says_so() =>
        Assert.That(
            () => Open(kernels: new KernelSource(new Dictionary<string, Func<byte[]>>())),
            Throws.TypeOf<DeviceException>().With.Message.Contains("built without kernels"));

    [Test]
    public void Nothing_runs_after_dispose()
    {
        CudaDevice device = Open();
        Tensor values = Ints(device, 1);
        ILaunchGraph graph = device.Capture(() => { })!;
        device.Dispose();
        device.Dispose();
        Assert.That(() => device.Allocate(4), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => Increment(device, values), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => device.Upload(new byte[4], values), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => device.Download(values, new byte[4]), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => graph.Launch(), Throws.TypeOf<ObjectDisposedException>());
        graph.Dispose();
        device.Free(values.Address);
    }

    [Test]
    public void Dispose_waits_for_those_who_wait_and_the_rest_is_told()
    {
        for (int round = 0; round < 5; round++)
        {
            CudaDevice device = Open();
            Tensor values = Ints(device, new int[100_000]);
            Exception?[] ends = new Exception?[4];
            var workers = Enumerable.Range(0, ends.Length).Select(i => new Thread(() =>
            {
                try
                {
                    while (true)
                    {
                        Increment(device, values);
                        Read(device, values);
                    }
                }
                catch (Exception exception)
                {
                    ends[i] = exception;
                }
            })).ToList();
            workers.ForEach(worker => worker.Start());
            Thread.Sleep(20 + (7 * round));
            device.Dispose();
            workers.ForEach(worker => worker.Join());
            Assert.That(ends, Has.All.TypeOf<ObjectDisposedException>());
            device.Free(values.Address);
        }
    }

    [Test]
    public void What_there_is_is_listed()
    {
        _ = TestGpu.Software;
        string sm = Environment.GetEnvironmentVariable("SOFTCUDA_SM") ?? "80";
        CudaProbe probe = Device.ProbeCuda();
        Assert.That((probe.Reason, probe.IsSoftware, probe.DriverVersion), Is.EqualTo(((string?)null, true, new Version(12, 4))));
        CudaDeviceInfo gpu = probe.Devices.Single();
        Assert.That(
            (gpu.Index, gpu.ComputeCapability, gpu.MemoryBytes, gpu.Unusable),
            Is.EqualTo((0, Version.Parse($"{sm[0]}.{sm[1..]}"), 4L << 30, (string?)null)));
        Assert.That(probe.Kernels, Is.EqualTo("PTX 7.0 for sm_80"));
    }

    [Test]
    public void A_gpu_that_is_older_than_the_kernels_is_listed_as_unusable()
    {
        CudaProbe probe = CudaProbe.Look(TestKernels.Of(TestKernels.Text.Replace("sm_80", "sm_95", StringComparison.Ordinal)));
        Assert.That(probe.Devices.Single().Unusable, Does.Contain("9.5"));
    }

    [Test]
    public void Messages_name_call_code_and_cause()
    {
        string message =
            CudaErrors.Exception((ManagedCuda.BasicTypes.CUResult)700, "Streams.cuStreamSynchronize(_compute)").Message;
        Assert.That(message, Does.StartWith("cuda: cuStreamSynchronize failed with ErrorIllegalAddress (700): "));
        Assert.That(
            CudaErrors.Exception((ManagedCuda.BasicTypes.CUResult)98765, "cuInit(x)").Message,
            Does.StartWith("cuda: cuInit failed with error 98765: "));
    }

    /// <summary>Writes a terabyte behind the values, where no GPU has a mapping.</summary>
    private static void Fault(CudaDevice device, Tensor values) => device.Launch(
        TestKernels.Family, TestKernels.Increment, new Grid(1, 32),
        new TestKernels.Arguments(checked((nint)(values.Address + (1L << 40))), 1));

    /// <summary>A device's whole life.</summary>
    private static void Live() => Live(trim: true);

    private static void Live(bool trim)
    {
        using CudaDevice device = Open();
        var blocks = new List<nint>();
        Tensor Keep(Tensor tensor)
        {
            blocks.Add(tensor.Address);
            return tensor;
        }

        try
        {
            Tensor values = Keep(new Tensor(device.Allocate(8), DType.Int32, new Shape(2)));
            Tensor batch = Keep(new Tensor(device.Allocate(8), DType.UInt8, new Shape(8)));
            device.Upload(new byte[8], values);
            Increment(device, values);
            using (ILaunchGraph graph = device.Capture(() => Increment(device, values))!)
            {
                graph.Launch();
            }

            using (IReadback readback = device.CreateReadback(values))
            using (IFeed feed = device.CreateFeed(8)!)
            {
                readback.Begin();
                Assert.That(readback.Read(0)[0], Is.EqualTo(2));
                for (int i = 0; i < 3; i++)
                {
                    feed.Push([1, 0, 0, 0, 0, 0, 0, 0]);
                    feed.Pull(batch);
                }
            }

            Assert.That(Read(device, values), Is.EqualTo(new[] { 2, 2 }));
            device.Launch(
                TestKernels.Family, TestKernels.SharedSize, new Grid(1, 1, Shared: 64 * 1024),
                new TestKernels.Arguments(values.Address, 0));
            if (trim)
            {
                device.Trim();
            }
        }
        finally
        {
            blocks.ForEach(device.Free);
        }
    }

    /// <summary>The declared name of an exported function.</summary>
    private static string Name(string function) =>
        InteropFacts.Read("driver-facts.tsv", "function").Select(fact => fact.Split('\t')).First(fact => fact[3] == function)[1];

    private static void Fail(string failures) => Assert.That(TestGpu.Software.Set("SOFTCUDA_FAIL", failures), Is.True, failures);
}
