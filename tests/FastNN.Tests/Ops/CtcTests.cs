namespace FastNN.Tests.Ops;

internal sealed class CtcTests : CpuOpFixture<CtcCases>
{
    private static IEnumerable<TestCaseData> Mistakes =>
    [
        Of("scores", g => Record(g, x: new(4, 5)), "expected log-probabilities [steps, batch, classes]", "[4, 5]"),
        Of("no steps", g => Record(g, x: new(0, 3, 5)), "expected log-probabilities", "[0, 3, 5]"),
        Of("targets", g => Record(g, targets: new(2, 4)), "expected targets [batch, longest], padded, for a batch of 3",
            "[2, 4]"),
        Of("joined targets", g => Record(g, targets: new(12)), "expected targets", "[12]"),
        Of("input lengths", g => Record(g, inputs: new(2)), "expected the lengths of 3 inputs, [3]", "[2]"),
        Of("target lengths", g => Record(g, lengths: new(3, 1)), "expected the lengths of 3 targets, [3]", "[3, 1]"),
        Of("a blank", g => Record(g, blank: 5), "expected a blank from 0 to 4", "got 5"),
        Of("numbers", g => Record(g, type: DType.Float32), "expected input 1 of type Int32", "Float32"),
        Of("too many", g => Record(g, x: new(100_000, 3, 5), targets: new(3, 100_000)), "expected at most 2147483647", "100000"),
    ];

    [TestCaseSource(nameof(Mistakes))]
    public void A_mistake_is_named(Func<Graph, Value> act, string expected, string given) => Assert.That(
        () => act(new Graph(GraphMode.Training)),
        Throws.TypeOf<ShapeException>().With.Message.Contains("CtcLoss: ").And.Message.Contains(expected)
            .And.Message.Contains(given));

    [Test]
    public void The_reference_is_the_sum_over_all_paths()
    {
        var random = new Random(5);
        double[] p = [.. Enumerable.Range(0, 5 * 3).Select(_ => random.NextDouble())];
        foreach (int[] labels in (int[][])[[], [1], [1, 1], [2, 1], [1, 2, 1], [2, 2, 2]])
        {
            double Of(int step, int k) => p[(step * 3) + k];
            Assert.That(
                CtcReference.Probability(Of, 5, labels, 0), Is.EqualTo(CtcReference.ByPaths(Of, 5, 3, labels, 0)).Within(1e-12));
        }
    }

    [Test]
    public void A_target_that_does_not_fit_costs_infinity_or_nothing([Values] bool zeroInfinity)
    {
        using OpRun run = RunOne(zeroInfinity, targets: [1, 1], inputLength: 2, targetLength: 2);
        Assert.That(run.Output[0], Is.EqualTo(zeroInfinity ? 0 : float.PositiveInfinity));
        Assert.That(run.Gradients[0].Take(4), zeroInfinity ? Has.All.Zero : Has.Some.NaN);
    }

    [TestCase(3, 1, 2, 2)]
    [TestCase(0, 1, 2, 2)]
    [TestCase(1, 1, 3, 1)]
    [TestCase(1, 1, -1, 1)]
    [TestCase(1, 1, 2, 3)]
    public void What_is_out_of_range_gives_NaN_and_no_gradient(int first, int second, int inputLength, int targetLength)
    {
        using OpRun run = RunOne(false, [first, second], inputLength, targetLength);
        Assert.That(run.Output[0], Is.NaN);
        Assert.That(run.Gradients[0], Has.All.Zero);
    }

    private OpRun RunOne(bool zeroInfinity, int[] targets, int inputLength, int targetLength)
    {
        OpInput Constant(string name, Shape shape, params int[] values) => new(
            name, shape, (_, _) => Array.ConvertAll(values, value => (double)value))
        { Type = DType.Int32, IsDifferentiable = false };
        var @case = new OpCase(
            "one", [
                OpInput.Uniform("x", new Shape(2, 1, 2), -3, 0), Constant("targets", new Shape(1, 2), targets),
                Constant("inputs", new Shape(1), inputLength), Constant("lengths", new Shape(1), targetLength)],
            values => values[0].CtcLoss(values[1], values[2], values[3], zeroInfinity: zeroInfinity), _ => [0]);
        OpRun run = @case.Compile(One);
        run.Run();
        return run;
    }

    private static TestCaseData Of(string what, Func<Graph, Value> act, string expected, string given) =>
        new TestCaseData(act, expected, given).SetArgDisplayNames(what);

    private static Value Record(
        Graph graph, Shape? x = null, Shape? targets = null, Shape? inputs = null, Shape? lengths = null, int blank = 0,
        DType type = DType.Int32) => graph.Input(x ?? new Shape(9, 3, 5)).CtcLoss(
            graph.Input(targets ?? new Shape(3, 4), type), graph.Input(inputs ?? new Shape(3), DType.Int32),
            graph.Input(lengths ?? new Shape(3), DType.Int32), blank);
}
