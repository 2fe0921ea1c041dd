using FastNN.Cli;

namespace FastNN.Cuda.Tests;

/// <summary>
/// Kernels of a captured step of networks at full size, as benchmarks train them: there products are cuBLAS's, and rows of
/// normalizations are more than one block has. docs/gpu.md lists the kernels by name.
/// </summary>
internal sealed class FullSizeStepTests
{
    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();

    [TestCase(32)]
    [TestCase(128, Explicit = true, Reason = "Its convolutions take the software device long; docs/gpu.md has the count.")]
    public void A_step_of_ResNet18_has_at_most_140_kernels(int batch)
    {
        var random = new Random(1);
        float[] x = [.. Enumerable.Range(0, batch * 32 * 32 * 3).Select(_ => random.NextSingle() - 0.5f)];
        int[] labels = [.. Enumerable.Range(0, batch).Select(_ => random.Next(10))];
        var model = new ResNet18();
        model.Build([32, 32, 3], seed: 5);
        Assert.That(KernelsOfAStep(model, new Sgd(0.1f, momentum: 0.9f), x, labels), Is.LessThanOrEqualTo(140));
    }

    /// <summary>Those of the first step that is launched as one, calls of libraries counted.</summary>
    private static long KernelsOfAStep(Layer model, Optimizer optimizer, float[] x, int[] labels)
    {
        _ = TestGpu.Software;
        using Device device = TestGpu.Open(new CudaOptions());
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, optimizer);
        for (int i = 0; i < 3; i++)
        {
            TestGpu.Software.ResetCounters();
            trainer.TrainBatch(x, labels);
        }

        DeviceCounts counts = TestGpu.Software.Counts();
        Assert.That(counts.GraphLaunches, Is.EqualTo(1), "graph launches");
        TestContext.Out.WriteLine($"{counts.Launches} kernels");
        foreach (KernelCounts kernel in counts.Kernels.OrderByDescending(kernel => kernel.Launches))
        {
            TestContext.Out.WriteLine($"{kernel.Launches} {kernel.Name}");
        }

        return counts.Launches;
    }
}
