using FastNN.Ops;

namespace FastNN.Tests.Ops;

internal sealed class BinaryCrossEntropyTests : CpuOpFixture<BinaryCrossEntropyCases>
{
    [Test]
    public void Probabilities_of_0_and_1_cost_at_most_100_each()
    {
        var @case = new OpCase(
            "certain", [new OpInput("x", new Shape(4), (_, _) => [0, 1, 0, 1]), new OpInput("t", new Shape(4), (_, _) => [0, 0, 1, 1]) { IsDifferentiable = false }],
            values => values[0].Graph.Add(new BinaryCrossEntropyOp(false, Reduction.None), values), _ => [0, 100, 100, 0]);
        using OpRun run = @case.Compile(One);
        run.Run();
        Assert.That(run.Output, Is.EqualTo(new[] { 0f, 100f, 100f, 0f }));
        Assert.That(run.Gradients[0].All(float.IsFinite));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(4, 5));
        Value targets = graph.Input(new Shape(4));
        Assert.That(
            () => graph.Add(new BinaryCrossEntropyOp(true, Reduction.Mean), x, targets),
            Throws.TypeOf<ShapeException>().With.Message.Contains("BinaryCrossEntropyWithLogits").And.Message.Contains("[4, 5]").And.Message.Contains("[4]"));
        Assert.That(
            () => graph.Add(new BinaryCrossEntropyOp(true, Reduction.Mean, HasPositiveWeight: true), x, x, targets),
            Throws.TypeOf<ShapeException>().With.Message.Contains("positive weights [4]"));
        Assert.That(
            () => graph.Add(new BinaryCrossEntropyOp(true, Reduction.Mean), x), Throws.TypeOf<ShapeException>().With.Message.Contains("expected 2 inputs, got 1"));
    }
}
