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

    [TestCase(16)]
    [TestCase(32, Explicit = true, Reason = "Its convolutions take the software device long; docs/gpu.md has the count.")]
    [TestCase(128, Explicit = true, Reason = "Its convolutions take the software device long; docs/gpu.md has the count.")]
    public void A_step_of_ResNet18_has_at_most_140_kernels(int batch)
    {
        var random = new Random(1);
        float[] x = [.. Enumerable.Range(0, batch * 32 * 32 * 3).Select(_ => random.NextSingle() - 0.5f)];
        int[] labels = [.. Enumerable.Range(0, batch).Select(_ => random.Next(10))];
        var model = new ResNet18();
        model.Build([32, 32, 3], seed: 5);
        _ = TestGpu.Software;
        using Device device = TestGpu.Open(new CudaOptions());
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Sgd(0.1f, momentum: 0.9f));
        Assert.That(KernelsOfAStep(() => trainer.TrainBatch(x, labels)), Is.LessThanOrEqualTo(140));
    }

    [Test]
    public void A_step_of_a_GPT_of_4_layers_has_at_most_90_kernels()
    {
        const int Batch = 8, Context = 128, Vocabulary = 65;
        var random = new Random(1);
        int[] tokens = [.. Enumerable.Range(0, Batch * Context).Select(_ => random.Next(Vocabulary))];
        int[] next = [.. Enumerable.Range(0, Batch * Context).Select(_ => random.Next(Vocabulary))];
        var model = new Gpt(Vocabulary, width: 256, layers: 4, heads: 4, Context);
        Symbol symbol = Model.Input("tokens", [Context], DType.Int32);
        new Model(symbol, model.Apply(symbol)).Build(seed: 5);
        _ = TestGpu.Software;
        using Device device = TestGpu.Open(new CudaOptions());
        using var weights = new DeviceWeights(device, model);
        using var training = new TrainingStep(
            weights,
            step =>
            {
                Value logits = model.Apply(step.Input("tokens", [Batch, Context], DType.Int32));
                Value targets = step.Input("next", [Batch * Context], DType.Int32);
                step.Loss("loss", Loss.SparseCrossEntropy.Apply(logits.Reshape([Batch * Context, Vocabulary]), targets));
            },
            [(new Adam(0.001f), model.Parameters)]);
        Assert.That(
            KernelsOfAStep(() =>
            {
                training.Begin([Batch, Context], [Batch * Context]);
                training.Write("tokens", tokens);
                training.Write("next", next);
                Assert.That(training.Run(), Is.EqualTo(Math.Log(Vocabulary)).Within(0.3), "small first weights know nothing");
            }),
            Is.LessThanOrEqualTo(90));
    }

    /// <summary>Those of the first step that is launched as one, calls of libraries counted.</summary>
    private static long KernelsOfAStep(Action step)
    {
        for (int i = 0; i < 3; i++)
        {
            TestGpu.Software.ResetCounters();
            step();
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
