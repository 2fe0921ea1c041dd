using FastNN.Ops;
using FastNN.Tests.Reference;

namespace FastNN.Tests.Ops;

internal sealed class BinaryCrossEntropyTests : OpFixture<BinaryCrossEntropyTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (Reduction reduction in Enum.GetValues<Reduction>())
            {
                foreach (bool logits in new[] { false, true })
                {
                    yield return Case(logits, reduction, new Shape(13, 7));
                    yield return Case(logits, reduction, new Shape(33, 1), weight: true);
                    yield return Case(logits, reduction, new Shape(129));
                }

                yield return Case(true, reduction, new Shape(17, 31), positive: true);
                yield return Case(true, reduction, new Shape(3, 5, 7), weight: true, positive: true);
            }

            foreach (int size in new[] { 1, 3, 7, 13, 17, 31, 33, 129, 70001 })
            {
                yield return Case(false, Reduction.Mean, new Shape(size, 1));
                yield return Case(true, Reduction.Mean, new Shape(size, 1));
            }

            yield return Case(true, Reduction.Sum, new Shape(8, 4), range: 60);
        }
    }

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

    private static OpCase Case(bool logits, Reduction reduction, Shape x, bool weight = false, bool positive = false, double range = 4)
    {
        List<OpInput> inputs =
        [
            logits ? OpInput.Uniform("x", x, -range, range) : OpInput.Uniform("x", x, 0.02, 0.98),
            OpInput.Uniform("targets", x, 0, 1).Constant(),
        ];
        if (weight)
        {
            inputs.Add(OpInput.Uniform("weight", x, 0.2, 2).Constant());
        }

        if (positive)
        {
            inputs.Add(OpInput.Uniform("positive", new Shape(x[-1]), 0.2, 3).Constant());
        }

        double[] Each(double[][] values, Func<bool, double, double, double, double, double> f) => [.. values[0].Select((value, i) =>
            f(logits, value, values[1][i], weight ? values[2][i] : 1, positive ? values[^1][i % x[-1]] : 1))];

        return new OpCase(
            $"{(logits ? "logits" : "probabilities")} {reduction} {x}{(weight ? " weight" : "")}{(positive ? " positive" : "")}{(range == 4 ? "" : " large")}",
            [.. inputs], values => values[0].Graph.Add(new BinaryCrossEntropyOp(logits, reduction, weight, positive), values),
            values => Reduce.Forward(reduction, Each(values, BinaryCrossEntropyReference.Loss)))
        {
            Tolerance = 1e-5,
            Samples = x.Count > 10_000 ? 4 : 48,
            ReferenceBackward = (values, dY) => [Reduce.Backward(reduction, Each(values, BinaryCrossEntropyReference.Slope), dY), null, null, null],
        };
    }
}

/// <summary>What a loss makes of the losses of its elements.</summary>
internal static class Reduce
{
    public static double[] Forward(Reduction reduction, double[] losses) => reduction switch
    {
        Reduction.Mean => [losses.Average()],
        Reduction.Sum => [losses.Sum()],
        _ => losses,
    };

    /// <param name="slopes">Of each element's loss.</param>
    public static double[] Backward(Reduction reduction, double[] slopes, double[] dLoss) => reduction switch
    {
        Reduction.Mean => Array.ConvertAll(slopes, slope => slope * dLoss[0] / slopes.Length),
        Reduction.Sum => Array.ConvertAll(slopes, slope => slope * dLoss[0]),
        _ => [.. slopes.Zip(dLoss, (slope, upstream) => slope * upstream)],
    };
}
