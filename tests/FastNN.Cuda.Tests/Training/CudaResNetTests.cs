using FastNN.Cli;

namespace FastNN.Cuda.Tests;

/// <summary>ResNet-18 on the software device, narrower but as deep.</summary>
internal sealed class CudaResNetTests : ResNetFixture
{
    protected override int BatchSize => 2;

    protected override (int Width, int Side) Size => (4, 16);

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
        (float[] x, int[] labels) = Batch(0);
        for (int i = 0; i < 5; i++)
        {
            TestGpu.Software.ResetCounters();
            trainer.TrainBatch(x, labels);
        }

        DeviceCounts counts = TestGpu.Software.Counts();
        TestContext.Out.WriteLine($"{counts.Launches} kernels");
        foreach (KernelCounts kernel in counts.Kernels.OrderByDescending(kernel => kernel.Launches))
        {
            TestContext.Out.WriteLine($"{kernel.Launches} {kernel.Name}");
        }

        Assert.That(counts.GraphLaunches, Is.EqualTo(1), "graph launches");
        Assert.That(counts.Allocations, Is.Zero, "device allocations");
        // 59 are convolutions; 15 batch normalizations take one launch each way, those of 4 channels two backward.
        Assert.That(counts.Launches, Is.LessThanOrEqualTo(115), "kernels");
    }
}
