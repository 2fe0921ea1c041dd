namespace FastNN.Tests.Ops;

internal sealed class ReduceTests : CpuOpFixture<ReduceCases>
{
    [Test]
    public void NaN_wins_wherever_it_stands([Values(0, 1, 17, 40, 99)] int at, [Values] bool columns)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(columns ? new Shape(100, 1, 3) : new Shape(3, 100));
        Value largest = x.Max([columns ? 0 : 1]), smallest = x.Min([columns ? 0 : 1]);
        using var run = new GraphRun(Two, graph, [largest, smallest], null, []);
        float[] values = [.. Enumerable.Range(0, 300).Select(i => (float)i)];
        values[columns ? (3 * at) + 1 : 100 + at] = float.NaN;
        run.Set(x, values);
        run.Upload();
        run.Forward();
        float[] most = run.Read(largest), least = run.Read(smallest);
        Assert.That(float.IsNaN(most[1]) && float.IsNaN(least[1]));
        Assert.That(most[2], Is.EqualTo(299f));
        Assert.That(least[0], Is.Zero);
    }

    [Test]
    public void Exponentials_neither_overflow_nor_lose_infinities()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(3, 2));
        Value y = x.LogSumExp([1]);
        using var run = new GraphRun(One, graph, [y], null, []);
        run.Set(x, [1000f, 1000f, float.NegativeInfinity, float.NegativeInfinity, 1f, float.PositiveInfinity]);
        run.Upload();
        run.Forward();
        Assert.That(
            run.Read(y), Is.EqualTo(new[] { (float)(1000 + Math.Log(2)), float.NegativeInfinity, float.PositiveInfinity }));
    }

    [Test]
    public void A_sum_of_nothing_is_0_and_a_maximum_of_nothing_is_refused()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(3, 0));
        Value y = x.Sum([1]), products = x.Prod([1]);
        using var run = new GraphRun(One, graph, [y, products], null, []);
        run.Forward();
        Assert.That(run.Read(y), Is.EqualTo(new float[3]));
        Assert.That(run.Read(products), Is.EqualTo(new float[] { 1, 1, 1 }));
        Assert.That(
            () => x.Max([1]), Throws.TypeOf<ShapeException>().With.Message.Contains("Max").And.Message.Contains("[3, 0]"));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(2, 3));
        Assert.That(() => x.Sum([2]), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2"));
        Assert.That(() => x.Mean([1, -1]), Throws.TypeOf<ShapeException>().With.Message.Contains("twice"));
        Assert.That(() => x.Norm(float.NaN), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("Norm"));
    }
}
