using System.Diagnostics.Metrics;
using FastNN.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Cuda.Tests;

/// <summary>A service on a GPU tells of its memory.</summary>
internal sealed class CudaServingTests : FolderFixture
{
    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();

    [Test]
    public async Task The_memory_of_the_gpu_is_among_the_metrics_while_the_service_runs()
    {
        Toy.Built().Save(At("toy.safetensors"));
        using Device gpu = TestGpu.Open();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddFastNN(options => options.UseDevice(gpu))
            .AddModel("toy", options => options.FromFile(At("toy.safetensors")));
        using IHost host = builder.Build();
        await host.StartAsync();
        Dictionary<string, long> values = Read();
        await host.StopAsync();
        Assert.Multiple(() =>
        {
            Assert.That(values["fastnn.gpu.memory.free"], Is.Positive);
            Assert.That(values["fastnn.device.memory.usage cuda used"], Is.EqualTo(values["held"]).And.Positive);
            Assert.That(values, Does.ContainKey("fastnn.device.memory.usage cuda cached"));
        });

        Dictionary<string, long> Read()
        {
            Dictionary<string, long> read = new() { ["held"] = gpu.Memory.LiveBytes };
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
            listener.Start();
            listener.RecordObservableInstruments();
            return read;
        }
    }
}
