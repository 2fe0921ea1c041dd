namespace FastNN.Testing;

/// <summary>ResNet-18 at full depth and less width.</summary>
internal abstract class ResNetFixture : WholeNetworkFixture
{
    private const int Classes = 10;

    /// <summary>Channels of the first stage, and rows and columns of the images.</summary>
    protected abstract (int Width, int Side) Size { get; }

    protected override Layer Model()
    {
        var model = new ResNet18(Size.Width, Classes);
        model.Build([Size.Side, Size.Side, 3], seed: 5);
        return model;
    }

    protected override Optimizer Optimizer() => new Sgd(0.05f, momentum: 0.9f);

    protected override (float[] X, int[] Labels) Batch(int step)
    {
        var random = new Random(step);
        return (
            [.. Enumerable.Range(0, BatchSize * Size.Side * Size.Side * 3).Select(_ => random.NextSingle() - 0.5f)],
            [.. Enumerable.Range(0, BatchSize).Select(_ => random.Next(Classes))]);
    }
}
