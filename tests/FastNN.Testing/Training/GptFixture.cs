using FastNN.Graphs;

namespace FastNN.Testing;

/// <summary>
/// A language model as a whole, through a trainer: the same bits for any number of threads and after a restart, memory within the
/// planner's bound, and a loss that falls.
/// </summary>
internal abstract class GptFixture
{
    private const int Vocabulary = 65;

    protected abstract Device Open(int threads = 1);

    /// <summary>Width, layers, heads, positions and batch.</summary>
    protected abstract (int Width, int Layers, int Heads, int Context, int Batch) Size { get; }

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
        string path = Path.Combine(Path.GetTempPath(), $"fastnn-gpt-{Guid.NewGuid():N}");
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
        (float[] x, int[] y) = Batch(0);
        float first = trainer.TrainBatch(x, y), last = first;
        long allocated = 0;
        for (int i = 0; i < 4; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            last = trainer.TrainBatch(x, y);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.That(allocated, Is.Zero);
        Assert.That(first, Is.EqualTo(Math.Log(Vocabulary)).Within(0.3), "small first weights know nothing");
        Assert.That(last, Is.LessThan(first - 0.05f));
    }

    [Test]
    public void The_arena_is_within_the_planners_bound()
    {
        (int width, int layers, int heads, int context, int batch) = Size;
        using Device device = Open();
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([batch, context], DType.Int32), y = graph.Input([batch * context], DType.Int32);
        Value logits = new Gpt(Vocabulary, width, layers, heads, context).Apply(x);
        Value loss = Loss.SparseCrossEntropy.Apply(logits.Reshape([batch * context, Vocabulary]), y);
        Plan plan = Compiler.Compile(device.Implementation, graph, [loss], loss, []);
        TestContext.Out.WriteLine($"{plan.PeakBytes} bytes, lower bound {plan.LowerBoundBytes}");
        Assert.That(plan.PeakBytes, Is.InRange(plan.LowerBoundBytes, 1.05 * plan.LowerBoundBytes));
    }

    protected static Trainer Trainer(Device device, Layer model) =>
        new(model, device, Loss.SparseCrossEntropy, new Adam(0.003f));

    protected Layer Model()
    {
        (int width, int layers, int heads, int context, _) = Size;
        var model = new Sequential(new Tokens(), new Gpt(Vocabulary, width, layers, heads, context));
        model.Build([context], seed: 5);
        return model;
    }

    protected (float[] Tokens, int[] Next) Batch(int step)
    {
        var random = new Random(step);
        int[] tokens = [.. Enumerable.Range(0, (Size.Batch * Size.Context) + 1).Select(_ => random.Next(Vocabulary))];
        return ([.. tokens[..^1].Select(token => (float)token)], tokens[1..]);
    }

    /// <summary>Losses and the last weights.</summary>
    private float[] Train(int threads, int steps, string? save = null, string? load = null)
    {
        Layer model = Model();
        var losses = new float[steps];
        using (Device device = Open(threads))
        using (Trainer trainer = Trainer(device, model))
        {
            int first = 0;
            if (load is not null)
            {
                trainer.LoadCheckpoint(load);
                first = (int)trainer.StepCount;
            }

            for (int i = first; i < steps; i++)
            {
                (float[] x, int[] y) = Batch(i);
                losses[i] = trainer.TrainBatch(x, y);
            }

            if (save is not null)
            {
                trainer.SaveCheckpoint(save);
            }
        }

        return [losses[^1], .. model.Parameters.SelectMany(parameter =>
        {
            var values = new float[parameter.Count];
            parameter.Read(values);
            return values;
        })];
    }

    /// <summary>Numbers of a batch in memory as indices.</summary>
    private sealed class Tokens : Layer
    {
        protected override Value Forward(Value x) => x.Cast(DType.Int32);
    }
}
