namespace FastNN.Tests.Ops;

internal sealed class ScatterTests : CpuOpFixture<ScatterCases>
{
    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Value, Value, Value> Build, string[] Words)[]
    {
        ("floats as indices", (x, _) => x.Scatter(0, x, x), ["Scatter", "Int32", "Float32"]),
        ("another type", (x, index) => x.Scatter(0, index, x.Cast(DType.Float16)), ["Scatter", "Float32", "Float16"]),
        ("a sum of halves", (x, index) => x.Cast(DType.Float16).ScatterAdd(0, index, x.Cast(DType.Float16)),
        ["ScatterAdd", "Float16"]),
        ("fewer elements than indices", (x, index) => x.Scatter(0, index, x.Slice(0, 0, 1)),
        ["Scatter", "indices", "[1, 4]", "[2, 4]"]),
        ("more indices than columns", (x, index) => x.ScatterAdd(0, index.Tile(1, 2), x.Tile(1, 2)),
        ["ScatterAdd", "axis 0", "[2, 8]"]),
        ("other axes", (x, index) => x.Scatter(0, index.Flatten(0), x), ["Scatter", "[8]"]),
        ("a missing axis", (x, index) => x.Scatter(2, index, x), ["axis 2"]),
        ("no classes", (_, index) => index.OneHot(0), ["OneHot", "0"]),
        ("classes of floats", (x, _) => x.OneHot(3), ["OneHot", "Float32"]),
        ("more than 2^31 classes", (_, index) => index.OneHot(1 << 30), ["OneHot", "8,589,934,592"]),
    }.Select(row => new TestCaseData(row.Build, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void What_does_not_fit_is_named(Func<Value, Value, Value> build, string[] words)
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(3, 4)), index = graph.Input(new Shape(2, 4), DType.Int32);
        string message = Assert.Throws<ShapeException>(() => build(x, index))!.Message;
        Assert.That(words.Where(word => !message.Contains(word, StringComparison.Ordinal)), Is.Empty, message);
    }

    [Test]
    public void An_index_out_of_range_is_named([Values("Scatter", "ScatterAdd", "OneHot")] string name, [Values(-1, 5)] int wrong)
    {
        var graph = new Graph(GraphMode.Inference);
        Value index = graph.Input(new Shape(3), DType.Int32), x = graph.Input(new Shape(5));
        Value y = name switch
        {
            "Scatter" => x.Scatter(0, index, x),
            "ScatterAdd" => x.ScatterAdd(0, index, x),
            _ => index.OneHot(5),
        };
        using var run = new GraphRun(Two, graph, [y], null, []);
        run.Set(index, [1, wrong, 2]);
        run.Upload();
        Assert.That(
            run.Forward,
            Throws.TypeOf<InvalidDatasetException>().With.Message.Contains($"{name}: index {wrong} at position 1").And.Message
                .Contains("0..4"));
    }
}
