using FastNN.Cli;

namespace FastNN.Cuda.Tests.Training;

/// <summary>What users add to a step, metrics and optimizers of their own, becomes a part of its one graph launch.</summary>
internal sealed class CapturedStepTests
{
    private static IEnumerable<TestCaseData> Steps =>
    [
        new TestCaseData(null, null, 10).SetName("Nothing_added_is_one_launch"),

        // The difference, its magnitude, and the sums.
        new TestCaseData(Metric.MeanAbsoluteError, null, 13).SetName("A_metric_is_a_part_of_the_launch"),

        // Sign, the product with the rate, the difference and the copy in the place of one kernel.
        new TestCaseData(null, new Signs(), 13).SetName("A_recorded_update_is_a_part_of_the_launch"),
        new TestCaseData(Metric.R2, new Signs(), 17).SetName("Both_are_parts_of_the_launch"),
    ];

    [TestCaseSource(nameof(Steps))]
    public void One_launch(object? metric, object? optimizer, int most)
    {
        _ = TestGpu.Software;
        using Device device = TestGpu.Open(new CudaOptions());
        var model = new Sequential(new Dense(5, Activation.Tanh), new Dense(1));
        model.Build([3]);
        using var weights = new DeviceWeights(device, model);
        void Record(StepBuilder step)
        {
            Value output = model.Apply(step.Input("x", [Dim.Batch, 3])), target = step.Input("target", [Dim.Batch, 1]);
            step.Loss("loss", Loss.MeanSquaredError.Apply(output, target));
            if (metric is Metric added)
            {
                step.Metric("metric", added, output, target);
            }
        }

        using var step = new TrainingStep(weights, Record, [((Optimizer?)optimizer ?? new Sgd(0.01f), model.Parameters)]);
        step.Begin([4, 3]);
        float[] x = [.. Enumerable.Range(0, 12).Select(i => i / 12f)], target = [1, 2, 3, 4];
        long allocated = 0;
        for (int i = 0; i < 5; i++)
        {
            step.Write("x", x);
            step.Write("target", target);
            TestGpu.Software.ResetCounters();
            long before = GC.GetAllocatedBytesForCurrentThread();
            step.Run();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        DeviceCounts counts = TestGpu.Software.Counts();
        Assert.Multiple(() =>
        {
            Assert.That(counts.GraphLaunches, Is.EqualTo(1), "graph launches");
            Assert.That(counts.Calls.GetValueOrDefault("cuLaunchKernel"), Is.Zero, "launches outside the graph");
            Assert.That(counts.Allocations, Is.Zero, "device allocations");
            Assert.That(allocated, Is.Zero, "managed bytes");
            Assert.That(counts.Launches, Is.LessThanOrEqualTo(most), "kernels");
        });
    }

    /// <summary>p -= rate sign(g).</summary>
    private sealed class Signs() : CustomOptimizer(0.01f)
    {
        public override string Name => "Signs";

        protected override IReadOnlyList<string> States => [];

        protected override void Record(UpdateRecording update) =>
            update.SetParameter(update.Parameter - (update.LearningRate * update.Gradient.Sign()));
    }
}
