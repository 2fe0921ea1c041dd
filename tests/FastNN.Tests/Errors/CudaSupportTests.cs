namespace FastNN.Tests.Errors;

/// <summary>Programs that were built without CUDA: the switch that the trimmer reads, here at run time.</summary>
[NonParallelizable]
internal sealed class CudaSupportTests
{
    private const string Switch = "FastNN.Cuda.IsSupported";

    [SetUp]
    public void LeaveOut() => AppContext.SetSwitch(Switch, false);

    [TearDown]
    public void PutBack() => AppContext.SetSwitch(Switch, true);

    [Test]
    public void A_GPU_is_refused_with_what_to_change() =>
        Assert.That(
            () => Device.Cuda(), Throws.TypeOf<DeviceException>().With.Message.Contains("<FastNNCuda>false</FastNNCuda>"));

    [Test]
    public void The_best_device_is_the_CPU_and_says_why()
    {
        using var device = Device.Best(1);
        Assert.That(device.Kind, Is.EqualTo("cpu"));
        Assert.That(device.FallbackReason, Does.Contain("built without CUDA"));
    }

    [Test]
    public void Looking_finds_nothing_and_says_why()
    {
        CudaProbe probe = Device.ProbeCuda();
        Assert.That(probe.Devices, Is.Empty);
        Assert.That(probe.Kernels, Is.Null);
        Assert.That(new[] { probe.Reason, probe.Cublas, probe.Cudnn }, Has.All.Contains("built without CUDA"));
    }
}
