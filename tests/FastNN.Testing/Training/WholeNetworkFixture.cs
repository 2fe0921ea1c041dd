namespace FastNN.Testing;

/// <summary>
/// A network as a whole, through a trainer: the same bits for any number of threads and after a restart, no allocation, memory
/// within the planner's bound, and a loss that falls.
/// </summary>
internal abstract class WholeNetworkFixture
{
    /// <summary>Examples of a batch.</summary>
    protected abstract int BatchSize { get; }

    protected abstract Device Open(int threads = 1);

    /// <summary>The network, built, with the same first values each time.</summary>
    protected abstract Layer Model();

    protected abstract Optimizer Optimizer();

    /// <summary>What is left of the loss of a batch after five steps on it, at most.</summary>
    protected virtual float LossAtMost => 0.9f;

    /// <summary>Inputs and classes of a step.</summary>
    protected abstract (float[] X, int[] Labels) Batch(int step);

    [Test]
    public void Training_is_the_same_to_the_last_bit_for_any_number_of_threads()
    {
        float[] one = Train(threads: 1, steps: 3);
        Near.SameBits(one, Train(threads: 2, steps: 3));
        Near.SameBits(one, Train(threads: 2, steps: 3));
    }

    [Test]
    public void A_resumed_run_goes_on_bit_for_bit()
    {
        string path = Path.Combine(Path.GetTempPath(), $"fastnn-network-{Guid.NewGuid():N}");
        try
        {
            float[] whole = Train(threads: 2, steps: 4);
            Train(threads: 2, steps: 2, save: path);
            Near.SameBits(whole, Train(threads: 1, steps: 4, load: path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void A_step_allocates_nothing_and_the_loss_falls()
    {
        using Device device = Open(2);
        using Trainer trainer = Trainer(device, Model());
        (float[] x, int[] labels) = Batch(0);
        float first = trainer.TrainBatch(x, labels), last = first;
        long least = long.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            last = trainer.TrainBatch(x, labels);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(least, Is.Zero);
        Assert.That(last, Is.LessThan(LossAtMost * first));
    }

    [Test]
    public void The_arena_is_within_the_planners_bound()
    {
        using Device device = Open();
        using Trainer trainer = Trainer(device, Model());
        MemoryPlan plan = trainer.PlanMemory(BatchSize);
        TestContext.Out.WriteLine($"{plan.PeakBytes} bytes, lower bound {plan.LowerBoundBytes}");
        Assert.That(plan.PeakBytes, Is.InRange(plan.LowerBoundBytes, 1.05 * plan.LowerBoundBytes));
    }

    private protected Trainer Trainer(Device device, Layer model) => new(model, device, Loss.SparseCrossEntropy, Optimizer());

    /// <summary>The last loss, and parameters and buffers at the end.</summary>
    private float[] Train(int threads, int steps, string? save = null, string? load = null)
    {
        Layer model = Model();
        float loss = 0;
        using (Device device = Open(threads))
        using (Trainer trainer = Trainer(device, model))
        {
            if (load is not null)
            {
                trainer.LoadCheckpoint(load);
            }

            for (int i = (int)trainer.StepCount; i < steps; i++)
            {
                (float[] x, int[] labels) = Batch(i);
                loss = trainer.TrainBatch(x, labels);
            }

            if (save is not null)
            {
                trainer.SaveCheckpoint(save);
            }
        }

        return [loss, .. model.NamedParameters.SelectMany(named =>
        {
            var values = new float[named.Parameter.Count];
            named.Parameter.Read(values);
            return values;
        })];
    }
}
