using FastNN.Cli;

namespace FastNN.Cuda.Tests;

/// <summary>Kernels of a captured step of the benchmarks' networks at their full widths.</summary>
internal sealed class FullSizeStepTests
{
    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();

    [Test]
    public void A_step_of_a_GPT([Values(1, 8)] int batch)
    {
        DeviceCounts counts = Count(new Gpt(), [128], DType.Int32, 65, batch, 128, new Adam(0.001f));
        Assert.That(counts.Launches, Is.LessThanOrEqualTo(90));
    }

    [Test]
    public void A_step_of_ResNet18([Values(1, 4, 32)] int batch)
    {
        DeviceCounts counts = Count(new ResNet18(), [32, 32, 3], DType.Float32, 10, batch, 1, new Sgd(0.1f, momentum: 0.9f));
        Assert.That(counts.Launches, Is.LessThanOrEqualTo(140));
    }

    private static DeviceCounts Count(Layer model, Shape input, DType type, int classes, int batch, int rows, Optimizer optimizer)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        _ = TestGpu.Software;
        TestGpu.Software.Set("SOFTCUDA_CHECKS", "0");
        TestGpu.Software.Set("SOFTCUDA_FOOTPRINT", "0");
        if (type == DType.Int32)
        {
            model = new Sequential(new Tokens(), model);
        }

        model.Build(input, seed: 5);
        TestContext.Out.WriteLine($"{watch.Elapsed} built");
        using Device device = TestGpu.Open(new CudaOptions());
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, optimizer);
        var random = new Random(1);
        float[] x = [.. Enumerable.Range(0, batch * (int)input.Count).Select(_ => (float)random.Next(classes))];
        int[] y = [.. Enumerable.Range(0, batch * rows).Select(_ => random.Next(classes))];
        for (int i = 0; i < 3; i++)
        {
            TestGpu.Software.ResetCounters();
            trainer.TrainBatch(x, y);
            TestContext.Out.WriteLine($"{watch.Elapsed} step");
        }

        DeviceCounts counts = TestGpu.Software.Counts();
        TestContext.Out.WriteLine($"{counts.Launches} kernels, {counts.GraphLaunches}");
        foreach (KernelCounts kernel in counts.Kernels.OrderByDescending(kernel => kernel.Launches))
        {
            TestContext.Out.WriteLine($"{kernel.Launches} {kernel.Name}");
        }

        return counts;
    }

    private sealed class Tokens : Layer
    {
        protected override Value Forward(Value x) => x.Cast(DType.Int32);
    }
}
