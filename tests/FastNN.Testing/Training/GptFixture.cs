namespace FastNN.Testing;

/// <summary>A language model of random tokens.</summary>
internal abstract class GptFixture : WholeNetworkFixture
{
    private const int Vocabulary = 65;

    /// <summary>Width, layers, heads and positions.</summary>
    protected abstract (int Width, int Layers, int Heads, int Context) Size { get; }

    // Of random tokens there is little to learn in five steps.
    protected override float LossAtMost => 0.987f;

    [Test]
    public void Small_first_weights_know_nothing()
    {
        using Device device = Open();
        using Trainer trainer = Trainer(device, Model());
        (float[] x, int[] labels) = Batch(0);
        Assert.That(trainer.TrainBatch(x, labels), Is.EqualTo(Math.Log(Vocabulary)).Within(0.3));
    }

    protected override Layer Model()
    {
        (int width, int layers, int heads, int context) = Size;
        var model = new Sequential(new Tokens(), new Gpt(Vocabulary, width, layers, heads, context));
        model.Build([context], seed: 5);
        return model;
    }

    protected override Optimizer Optimizer() => new Adam(0.003f);

    /// <summary>Tokens, and those that follow them.</summary>
    protected override (float[] X, int[] Labels) Batch(int step)
    {
        var random = new Random(step);
        int[] tokens = [.. Enumerable.Range(0, (BatchSize * Size.Context) + 1).Select(_ => random.Next(Vocabulary))];
        return ([.. tokens[..^1].Select(token => (float)token)], tokens[1..]);
    }

    /// <summary>Numbers of a batch in memory as indices.</summary>
    private sealed class Tokens : Layer
    {
        protected override Value Forward(Value x) => x.Cast(DType.Int32);
    }
}
