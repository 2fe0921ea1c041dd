using FastNN.Cli;

namespace FastNN.Cuda.Tests;

/// <summary>The language model on the software device, narrower but as deep.</summary>
internal sealed class CudaGptTests : GptFixture
{
    protected override (int Width, int Layers, int Heads, int Context) Size => (32, 4, 4, 16);

    protected override int BatchSize => 2;

    protected override Device Open(int threads = 1) => TestGpu.Open();

    [TearDown]
    public void NothingIsLeft() => TestGpu.RequireNothingAlive();

    /// <summary>A step as one launch: how many kernels it has, calls of libraries counted.</summary>
    [Test]
    public void A_captured_step_is_one_launch()
    {
        _ = TestGpu.Software;
        using Device device = TestGpu.Open(new CudaOptions());
        using Trainer trainer = Trainer(device, Model());
        (float[] x, int[] y) = Batch(0);
        for (int i = 0; i < 5; i++)
        {
            TestGpu.Software.ResetCounters();
            trainer.TrainBatch(x, y);
        }

        DeviceCounts counts = TestGpu.Software.Counts();
        TestContext.Out.WriteLine($"{counts.Launches} kernels");
        Assert.That(counts.GraphLaunches, Is.EqualTo(1), "graph launches");
        Assert.That(counts.Allocations, Is.Zero, "device allocations");
        foreach (KernelCounts kernel in counts.Kernels.OrderByDescending(kernel => kernel.Launches))
        {
            TestContext.Out.WriteLine($"{kernel.Launches} {kernel.Name}");
        }

        // More tokens than columns: the gradient of the table is cleared, its indices sorted, and its rows added up. At full
        // size,
        // which has one launch for that, FullSizeStepTests count.
        Assert.That(counts.Launches, Is.LessThanOrEqualTo(77), "kernels");
    }
}
