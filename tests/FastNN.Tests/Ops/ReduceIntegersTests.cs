namespace FastNN.Tests.Ops;

internal sealed class ReduceIntegersTests : CpuOpFixture<ReduceIntegersCases>
{
    [Test]
    public void Types_are_those_of_PyTorch()
    {
        var graph = new Graph(GraphMode.Inference);
        Value integers = graph.Input(new Shape(2, 3), DType.Int32), truths = graph.Input(new Shape(2, 3), DType.Bool);
        Assert.That(integers.Sum().Type, Is.EqualTo(DType.Int64));
        Assert.That(truths.Sum([0]).Type, Is.EqualTo(DType.Int64));
        Assert.That(integers.Max().Type, Is.EqualTo(DType.Int32));
        Assert.That(truths.Any().Type, Is.EqualTo(DType.Bool));
        Assert.That(graph.Input(new Shape(2, 3)).All([1]).Type, Is.EqualTo(DType.Bool));
    }

    [Test]
    public void Folds_of_nothing_are_those_of_none()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(2, 0), DType.Bool);
        Value[] folds = [.. new[] { x.Sum([1]), x.Prod([1]), x.Any([1]), x.All([1]) }.Select(y => y.Cast(DType.Float32))];
        using var run = new GraphRun(One, graph, folds, null, []);
        run.Forward();
        Assert.That(folds.Select(run.Read), Is.EqualTo(new float[][] { [0, 0], [1, 1], [0, 0], [1, 1] }));
        Assert.That(
            () => x.Min([1]), Throws.TypeOf<ShapeException>().With.Message.Contains("Min").And.Message.Contains("[2, 0]"));
    }

    [Test]
    public void NaN_is_not_0()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(2, 2)), any = x.Any([1]).Cast(DType.Float32), all = x.All([1]).Cast(DType.Float32);
        using var run = new GraphRun(One, graph, [any, all], null, []);
        run.Set(x, [float.NaN, 1, 0, -0f]);
        run.Upload();
        run.Forward();
        Assert.That(run.Read(any), Is.EqualTo(new float[] { 1, 0 }));
        Assert.That(run.Read(all), Is.EqualTo(new float[] { 1, 0 }));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(2, 3), DType.Int32);
        Assert.That(() => x.Sum([2]), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2"));
        Assert.That(
            () => x.Any([0, -2]), Throws.TypeOf<ShapeException>().With.Message.Contains("Any").And.Message.Contains("twice"));
        Assert.That(
            () => x.Mean(), Throws.TypeOf<ShapeException>().With.Message.Contains("Mean").And.Message.Contains("Float32"));
        Assert.That(
            () => graph.Input(new Shape(3), DType.Int64).All(),
            Throws.TypeOf<ShapeException>().With.Message.Contains("All").And.Message.Contains("Int64"));
    }
}
