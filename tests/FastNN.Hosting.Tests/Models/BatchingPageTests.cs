using System.Runtime.InteropServices;
using FastNN.Onnx;
using FastNN.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Models;

/// <summary>The code of docs/serving-batching.md, compiled and run as it stands there.</summary>
[NonParallelizable]
public sealed class BatchingPageTests : FolderFixture
{
    [Test]
    public async Task The_code_runs()
    {
        var network = new Sequential(new Dense(5, Activation.ReLU), new Dense(3));
        network.Build(new Shape(4), seed: 1);
        network.ExportOnnx(At("digits.onnx"));
        await ServeAsync([1, 0, 0.5f, 0.25f]);
    }

    [Test]
    public void Every_block_stands_in_this_file() => Assert.That(PageCode.Missing("serving-batching.md", count: 3), Is.Empty);

    private async Task ServeAsync(float[] image)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = Folder });
        builder.Services.AddFastNN(options =>
            {
                options.Batching.MaxBatch = 16;
                options.Batching.Objective = TimeSpan.FromMilliseconds(50);
                options.CallTimeout = TimeSpan.FromSeconds(2);
            })
            .AddModel("digits", options =>
            {
                options.FromFile("digits.onnx");
                options.Batching = new BatchingOptions { BatchInvariant = true };
            });
        using IHost host = builder.Build();
        await host.StartAsync();
        IModel model = host.Services.GetRequiredKeyedService<IModel>("digits");

        using ModelCall call = model.Begin();
        call.Priority = 1;
        call.Deadline = TimeProvider.System.GetTimestamp() + TimeProvider.System.TimestampFrequency / 5;    // in 200 ms
        MemoryMarshal.AsBytes(image.AsSpan()).CopyTo(call.SetInput(0, [1, image.Length]));
        await call.RunAsync();
        Console.WriteLine($"waited {call.QueueTime.TotalMilliseconds} ms, computed in a batch of {call.BatchSize}");

        try
        {
            await call.RunAsync();
        }
        catch (InferenceException refusal) when (refusal.Failure is InferenceFailure.QueueFull)
        {
            await Task.Delay(refusal.RetryAfter ?? TimeSpan.FromMilliseconds(10));
        }

        Assert.That(call.BatchSize, Is.EqualTo(1));
        call.Dispose();
        await host.StopAsync();
    }
}
