namespace FastNN.Tests.Ops;

internal sealed class BatchNormTests : CpuOpFixture<BatchNormCases>
{
    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 3)), two = graph.Input(new Shape(2)), three = graph.Input(new Shape(3));
        Assert.That(
            () => x.BatchNorm(two, two),
            Throws.TypeOf<ShapeException>().With.Message.Contains("BatchNorm").And.Message.Contains("[2, 3]"));
        Assert.That(() => three.BatchNorm(three, three), Throws.TypeOf<ShapeException>().With.Message.Contains("batch axis"));
    }

    [Test]
    public void A_single_value_per_channel_cannot_be_trained_on()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(1, 3)), statistics = graph.Input(new Shape(3));
        Value y = x.BatchNorm(statistics, statistics);
        Assert.That(
            () => new GraphRun(One, graph, [y], null, []), Throws.TypeOf<ShapeException>().With.Message.Contains("larger batch"));
    }

    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Graph, Value> Record, string[] Words)[]
    {
        ("groups", graph => X(graph, 2, 4, 6).GroupNorm(4), ["GroupNorm", "[2, 4, 6]", "6 channels", "4 groups"]),
        ("no groups", graph => X(graph, 2, 4, 6).GroupNorm(0), ["GroupNorm", "at least 1 group"]),
        ("a vector in groups", graph => X(graph, 6).GroupNorm(2), ["GroupNorm", "[6]"]),
        ("a weight of groups", graph => X(graph, 2, 6).GroupNorm(2, X(graph, 2)), ["GroupNorm", "[6]", "[2]"]),
        ("a bias alone", graph => X(graph, 2, 6).GroupNorm(2, bias: X(graph, 6)), ["GroupNorm", "weight"]),
        (
            "a bias alone for a batch", graph => X(graph, 2, 6).BatchNorm(X(graph, 6), X(graph, 6), bias: X(graph, 6)),
            ["weight"]),
        ("instances without places", graph => X(graph, 2, 6).InstanceNorm(), ["InstanceNorm", "[2, 6]", "3 axes"]),
        ("a bias alone for instances", graph => X(graph, 2, 3, 6).InstanceNorm(bias: X(graph, 6)), ["InstanceNorm", "weight"]),
        ("a weight of instances", graph => X(graph, 2, 3, 6).InstanceNorm(X(graph, 3)), ["InstanceNorm", "[6]", "[3]"]),
        ("eps", graph => X(graph, 2, 3, 6).InstanceNorm(eps: -1), ["InstanceNorm", "eps", "-1"]),
        (
            "an eps that is no number", graph => X(graph, 2, 6).BatchNorm(X(graph, 6), X(graph, 6), eps: float.NaN),
            ["BatchNorm", "eps"]),
        (
            "classes", graph => graph.Input(new Shape(2, 6), DType.Int32).GroupNorm(2), ["GroupNorm", "Float32", "cast"]),
    }.Select(row => new TestCaseData(row.Record, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void A_wrong_use_is_named(Func<Graph, Value> record, string[] words)
    {
        ShapeException exception = Assert.Throws<ShapeException>(() => record(new Graph(GraphMode.Training)))!;
        Assert.Multiple(() =>
        {
            foreach (string word in words)
            {
                Assert.That(exception.Message, Does.Contain(word));
            }
        });
    }

    [Test]
    public void Instances_of_one_place_and_groups_of_one_value_are_refused()
    {
        var graph = new Graph(GraphMode.Training);
        Value place = X(graph, 2, 1, 6).InstanceNorm(), value = X(graph, 1, 6).GroupNorm(6);
        Assert.That(
            () => new GraphRun(One, graph, [place], null, []),
            Throws.TypeOf<ShapeException>().With.Message.Contains("one place"));
        Assert.That(
            () => new GraphRun(One, graph, [value], null, []), Throws.TypeOf<ShapeException>().With.Message.Contains("6 groups"));
    }

    [Test]
    public void Statistics_of_numbers_far_from_zero_do_not_cancel([Values(700, 3)] int rows)
    {
        // Deviations of about 1 around 1,000, where floats have steps of 6e-5, of which the mean may be off by two; the
        // difference of mean square and squared mean would be wrong by a tenth.
        var shape = new Shape(rows, 5);
        double[] x = [.. OpInput.Uniform("x", shape).Values(seed: 1).Select(value => Math.Round((value + 1000) * 64) / 64)];
        var graph = new Graph(GraphMode.Training);
        Value input = graph.Input(shape), mean = graph.Input(new Shape(5)), variance = graph.Input(new Shape(5));
        Value y = input.BatchNorm(mean, variance);
        using var run = new GraphRun(One, graph, [y], null, []);
        run.SetNumbers(input, x);
        run.SetNumbers(mean, new double[5]);
        run.SetNumbers(variance, new double[5]);
        run.Run();
        double[] expected = NormalizationReference.Forward(x, null, null, i => i % 5, i => i % 5, 1e-5);
        (_, double[] variances) = NormalizationReference.Statistics(x, i => i % 5);
        float[] actual = run.Read(y);
        Assert.That(
            actual.Select((value, i) => value * Math.Sqrt(variances[i % 5])),
            Is.EqualTo(expected.Select((value, i) => value * Math.Sqrt(variances[i % 5]))).Within(1.5e-4));
    }

    private static Value X(Graph graph, params int[] extents) => graph.Input(new Shape(extents));
}
