namespace FastNN.Tests.Ops;

internal sealed class WhereTests : CpuOpFixture<WhereCases>
{
    [Test]
    public void NaN_in_the_branch_that_is_not_taken_reaches_neither_output_nor_gradient()
    {
        var graph = new Graph(GraphMode.Training);
        Value condition = graph.Input(new Shape(9), DType.Bool), a = graph.Input(new Shape(9)), b = graph.Input(new Shape());
        Value y = ShapeOperators.Where(condition, a, b);
        using var run = new GraphRun(Two, graph, [y], y, [a, b]);
        run.SetNumbers(condition, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
        run.Set(a, [1, float.NaN, 2, float.NaN, 3, float.NaN, 4, float.NaN, 5]);
        run.Set(b, [7f]);
        run.SetRootGradient([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        run.Run();
        Assert.That(run.Read(y), Is.EqualTo(new float[] { 1, 7, 2, 7, 3, 7, 4, 7, 5 }));
        Assert.That(run.Gradient(a), Is.EqualTo(new float[] { 1, 0, 3, 0, 5, 0, 7, 0, 9 }));
        Assert.That(run.Gradient(b), Is.EqualTo(new float[] { 20 }));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value floats = graph.Input(new Shape(3)), condition = graph.Input(new Shape(3), DType.Bool),
        two = graph.Input(new Shape(2));
        Assert.That(
            () => ShapeOperators.Where(floats, floats, floats), Throws.TypeOf<ShapeException>().With.Message.Contains("Bool"));
        Assert.That(
            () => ShapeOperators.Where(condition, floats, condition),
            Throws.TypeOf<ShapeException>().With.Message.Contains("one type"));
        Assert.That(
            () => ShapeOperators.Where(condition, floats, two),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Where").And.Message.Contains("[3]").And.Message.Contains(
                "[2]"));
    }
}
