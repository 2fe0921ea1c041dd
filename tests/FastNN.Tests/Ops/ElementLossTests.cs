using FastNN.Functions;
using FastNN.Ops;

namespace FastNN.Tests.Ops;

internal sealed class ElementLossTests : CpuOpFixture<ElementLossCases>
{
    [Test]
    public void Probabilities_of_0_and_1_cost_at_most_100_each()
    {
        var @case = new OpCase(
            "certain",
            [
                new OpInput("x", new Shape(4), (_, _) => [0, 1, 0, 1]),
                new OpInput("t", new Shape(4), (_, _) => [0, 0, 1, 1]) { IsDifferentiable = false }],
            values => values[0].Graph.Add(Op<ProbabilityLoss>(Reduction.None), values), _ => [0, 100, 100, 0]);
        using OpRun run = @case.Compile(One);
        run.Run();
        Assert.That(run.Output, Is.EqualTo(new[] { 0f, 100f, 100f, 0f }));
        Assert.That(run.Gradients[0].All(float.IsFinite));
    }

    [Test]
    public void A_divergence_from_a_probability_of_0_is_0()
    {
        var @case = new OpCase(
            "impossible",
            [
                new OpInput("x", new Shape(3), (_, _) => [-1, -50, 0]),
                new OpInput("t", new Shape(3), (_, _) => [0, 0, 1]) { IsDifferentiable = false }],
            values => values[0].Graph.Add(Op<Divergence>(Reduction.None), values), _ => [0, 0, 0]);
        using OpRun run = @case.Compile(One);
        run.Run();
        Assert.That(run.Output, Is.EqualTo(new[] { 0f, 0f, 0f }));
        Assert.That(run.Gradients[0].All(float.IsFinite));
    }

    [TestCaseSource(nameof(Losses))]
    public void An_element_that_is_NaN_stays_NaN_in_loss_and_gradient(string name)
    {
        LossFunction loss = FunctionTable.Losses.Single(row => row.TextName == name);
        bool hinge = loss.Info.Targets == LossTargets.Signs, divergence = loss.Info.Name == "KLDivergence";
        var input = new OpInput("x", new Shape(5), (_, _) => [0.5, double.NaN, 0.5, double.NaN, 0.5]);
        var targets =
            new OpInput("t", new Shape(5), (_, _) => hinge
                ? [1, -1, 1, 1, 1]
                : [0.25, 0.5, 0.75, 0.25, 0.5])
            { IsDifferentiable = false };
        OpInput[] inputs = loss.TakesPositiveWeight
            ? [input, targets, OpInput.Uniform("p", new Shape(5), 1, 2).Constant()]
            : [input, targets];
        var @case = new OpCase(
            "NaN", inputs, values => values[0].Graph.Add(new ElementLossOp(loss, loss.Info.Defaults, Reduction.None), values),
            _ => new double[5]);
        using OpRun run = @case.Compile(One);
        run.Run();
        Assert.That(run.Output.Select(float.IsNaN), Is.EqualTo(new[] { false, true, false, true, false }));

        // The slopes of a divergence, and of a hinge, do not look at the element's size; the NaN in the loss stops the step.
        if (!hinge && !divergence)
        {
            Assert.That(run.Gradients[0].Select(float.IsNaN), Is.EqualTo(new[] { false, true, false, true, false }));
        }
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(4, 5));
        Value targets = graph.Input(new Shape(4));
        Assert.That(
            () => graph.Add(Op<SquaredError>(Reduction.Mean), x, targets),
            Throws.TypeOf<ShapeException>().With.Message.Contains("MeanSquaredError").And.Message.Contains(
                "[4, 5]").And.Message.Contains("[4]"));
        Assert.That(
            () => graph.Add(Op<LogitLoss>(Reduction.Mean), x, targets),
            Throws.TypeOf<ShapeException>().With.Message.Contains("BinaryCrossEntropyWithLogits").And.Message.Contains(
                "[4, 5]").And.Message.Contains("[4]"));
        Assert.That(
            () => graph.Add(Op<WeightedLogitLoss>(Reduction.Mean), x, x, targets),
            Throws.TypeOf<ShapeException>().With.Message.Contains("positive weights [4]"));
        Assert.That(
            () => graph.Add(Op<SquaredError>(Reduction.Mean) with { HasWeight = true }, x, x, targets),
            Throws.TypeOf<ShapeException>().With.Message.Contains("expected weights"));
        Assert.That(
            () => graph.Add(
                Op<Divergence>(Reduction.Mean) with { PerExample = true }, graph.Input(default), graph.Input(default)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("axis of examples"));
        Assert.That(
            () => graph.Add(Op<LogitLoss>(Reduction.Mean), x),
            Throws.TypeOf<ShapeException>().With.Message.Contains("expected 2 inputs, got 1"));
    }

    [Test]
    public void Parameters_out_of_range_are_named()
    {
        Assert.That(
            () => new HingeEmbeddingLoss(0), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("margin"));
        Assert.That(() => new HuberLoss(-1), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("delta"));
        Value x = new Graph(GraphMode.Training).Input(new Shape(4, 1));
        Assert.That(
            () => new BinaryCrossEntropyLoss { PositiveWeights = [2] }.Apply(x, x),
            Throws.InvalidOperationException.With.Message.Contains("FromLogits"));
    }

    [Test]
    public void Rows_are_named_once() => Assert.That(FunctionTable.Losses.Select(row => row.TextName), Is.Unique);

    private static IEnumerable<string> Losses => FunctionTable.Losses.Select(row => row.TextName);

    private static ElementLossOp Op<TFunction>(Reduction reduction)
        where TFunction : struct, ILossFunction =>
            new(LossFunction.Of<TFunction>(), LossFunction.Of<TFunction>().Info.Defaults, reduction);
}
