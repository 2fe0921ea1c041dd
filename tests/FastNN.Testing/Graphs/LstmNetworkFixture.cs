namespace FastNN.Testing;

/// <summary>The LSTM of the benchmarks, trained whole: bits, allocations, memory and checkpoints.</summary>
internal abstract class LstmNetworkFixture
{
    private const int Steps = 3;

    /// <summary>Input 128, hidden 256, 64 steps, batch 32; smaller where every instruction is interpreted.</summary>
    protected abstract Network Network { get; }

    protected static Network Of(int inputs, int units, int steps, int batch) => new(
        $"lstm-{units}", new Shape(steps, inputs), 10, batch, Loss.SparseCrossEntropy, () => new Adam(),
        () => [new LstmClassifier(units)]);

    protected abstract Device Open(int threads);

    [Test]
    public void Training_is_the_same_to_the_last_bit_for_any_number_of_threads()
    {
        float[][] one = Train(1), two = Train(2);
        Near.SameBits(one, two);
        Assert.That(one[0][^1], Is.LessThan(one[0][0]), "training on one batch lowers its loss");
    }

    [Test]
    public void A_step_allocates_nothing()
    {
        using Device device = Open(2);
        using Trainer trainer = Create(device);
        var batch = new RandomBatch(Network);
        for (int i = 0; i < 4; i++)
        {
            batch.Step(trainer);
        }

        long blocks = device.Implementation.MemoryUse.Allocations, before = GC.GetAllocatedBytesForCurrentThread();
        batch.Step(trainer);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero, "managed bytes");
        Assert.That(device.Implementation.MemoryUse.Allocations, Is.EqualTo(blocks), "blocks of the device");
    }

    [Test]
    public void Memory_stays_within_1_05_of_the_planners_bound()
    {
        using Device device = Open(2);
        using Trainer trainer = Create(device);
        foreach (GraphMode mode in new[] { GraphMode.Training, GraphMode.Inference })
        {
            MemoryPlan plan = trainer.PlanMemory(Network.Batch, mode);
            Assert.That(plan.PeakBytes, Is.LessThanOrEqualTo(1.05 * plan.LowerBoundBytes), $"{mode}");
        }
    }

    [Test]
    public void A_resumed_run_continues_bit_for_bit()
    {
        string checkpoint = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        using Device device = Open(2);
        var batch = new RandomBatch(Network);
        float[][] Continue(Trainer trainer)
        {
            for (int i = 0; i < Steps; i++)
            {
                batch.Step(trainer);
            }

            return [.. trainer.Model.Parameters.Select(Read)];
        }

        try
        {
            float[][] expected;
            using (Trainer trainer = Create(device))
            {
                batch.Step(trainer);
                trainer.SaveCheckpoint(checkpoint);
                expected = Continue(trainer);
            }

            using Trainer resumed = Create(device, seed: 2);
            resumed.LoadCheckpoint(checkpoint);
            Near.SameBits(expected, Continue(resumed));
        }
        finally
        {
            File.Delete(checkpoint);
        }
    }

    protected Trainer Create(Device device, ulong seed = 1) =>
        new(Network.Build(seed), device, Network.Loss, Network.Optimizer());

    private float[][] Train(int threads)
    {
        using Device device = Open(threads);
        using Trainer trainer = Create(device);
        var batch = new RandomBatch(Network);
        float[] losses = [.. Enumerable.Range(0, Steps).Select(_ => batch.Step(trainer))];
        return [losses, .. trainer.Model.Parameters.Select(Read)];
    }

    private static float[] Read(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }
}
