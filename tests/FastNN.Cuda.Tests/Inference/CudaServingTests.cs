using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using FastNN.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Cuda.Tests;

/// <summary>A service on a GPU tells of its memory and its sensors.</summary>
internal sealed class CudaServingTests : FolderFixture
{
    private const int NotSupported = 3;

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();

    [Test]
    public async Task The_memory_of_the_gpu_is_among_the_metrics_while_the_service_runs()
    {
        using Device gpu = TestGpu.Open();
        using IHost host = await ServeAsync(gpu);
        Dictionary<string, double> values = Read();
        long held = gpu.Memory.LiveBytes;
        await host.StopAsync();
        Assert.Multiple(() =>
        {
            Assert.That(values["fastnn.gpu.memory.free"], Is.Positive);
            Assert.That(values["fastnn.device.memory.usage cuda used"], Is.EqualTo(held).And.Positive);
            Assert.That(values, Does.ContainKey("fastnn.device.memory.usage cuda cached"));
        });
    }

    [Test]
    public async Task Sensors_are_told_as_far_as_the_gpu_has_them()
    {
        TestGpu.RequireVersion(4);
        using Device gpu = TestGpu.Open();
        using IHost host = await ServeAsync(gpu);
        SetSensors(57, 61, 214_500, status: 0);
        Dictionary<string, double> values = Read();
        SetSensors(0, 0, 0, NotSupported);
        Dictionary<string, double> without = Read();
        await host.StopAsync();
        Assert.Multiple(() =>
        {
            Assert.That(values["fastnn.gpu.utilization"], Is.EqualTo(0.57));
            Assert.That(values["fastnn.gpu.temperature"], Is.EqualTo(61));
            Assert.That(values["fastnn.gpu.power"], Is.EqualTo(214.5));
            Assert.That(
                without.Keys.Where(name => name.StartsWith("fastnn.gpu.", StringComparison.Ordinal)),
                Is.EqualTo(new[] { "fastnn.gpu.memory.free" }));
        });
    }

    private async Task<IHost> ServeAsync(Device gpu)
    {
        Toy.Built().Save(At("toy.safetensors"));
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddFastNN(options => options.UseDevice(gpu))
            .AddModel("toy", options => options.FromFile(At("toy.safetensors")));
        IHost host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private static Dictionary<string, double> Read()
    {
        var read = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Meter.Name == FastNNDiagnostics.MeterName)
            {
                it.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            read[string.Join(' ', [instrument.Name, .. tags.ToArray().Select(tag => tag.Value)])] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => read[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return read;
    }

    private static unsafe void SetSensors(uint utilization, uint celsius, uint milliwatts, int status)
    {
        nint library = CudaLibraries.Load(CudaLibraries.Management, "the software library");
        nint set = NativeLibrary.GetExport(library, "softcudaSetSensors");
        ((delegate* unmanaged<uint, uint, uint, uint, int, void>)set)(utilization, 0, celsius, milliwatts, status);
    }
}
