namespace FastNN.Tests.Ops;

internal sealed class ArgExtremeTests : CpuOpFixture<ArgExtremeCases>
{
    [Test]
    public void NaN_comes_before_all_others_and_zeros_are_equal([Values] bool columns)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(columns ? new Shape(4, 3) : new Shape(3, 4));
        Value most = x.ArgMax(columns ? 0 : 1).Cast(DType.Float32), least = x.ArgMin(columns ? 0 : 1).Cast(DType.Float32);
        using var run = new GraphRun(Two, graph, [most, least], null, []);
        float[] rows = [
            1, float.NaN, 9, float.NaN, -0f, 0, -0f, 0, float.NegativeInfinity, float.PositiveInfinity, float.NegativeInfinity,
            0];
        run.Set(x, columns ? [.. Enumerable.Range(0, 12).Select(i => rows[(i % 3 * 4) + (i / 3)])] : rows);
        run.Upload();
        run.Forward();
        Assert.That(run.Read(most), Is.EqualTo(new float[] { 1, 0, 1 }));
        Assert.That(run.Read(least), Is.EqualTo(new float[] { 1, 0, 0 }));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Inference);
        Assert.That(
            () => graph.Input(new Shape(2, 0)).ArgMax(),
            Throws.TypeOf<ShapeException>().With.Message.Contains("ArgMax").And.Message.Contains("[2, 0]"));
        Assert.That(
            () => graph.Input(new Shape(2, 3)).ArgMin(2), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2"));
        Assert.That(
            () => graph.Input(new Shape(2, 3), DType.Int32).ArgMax(),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Float32"));
    }
}
