namespace FastNN.Tests.Ops;

internal sealed class GatherTests : CpuOpFixture<GatherCases>
{
    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Value, Value, Value> Build, string[] Words)[]
    {
        ("floats as indices", (x, _) => x.Gather(0, x), ["Gather", "Int32", "Float32"]),
        ("indices of other axes", (x, index) => x.Gather(0, index.Reshape(new Shape(8))), ["Gather", "[3, 4]", "[8]"]),
        ("indices of more columns", (x, index) => x.Gather(0, index.Tile(1, 2)), ["Gather", "axis 0", "[3, 4]", "[2, 8]"]),
        ("a missing axis", (x, index) => x.Gather(2, index), ["axis 2"]),
        ("a number's element", (x, index) => x.Sum().Gather(0, index), ["axis 0"]),
        ("slices by floats", (x, _) => x.IndexSelect(0, x), ["IndexSelect", "Float32"]),
        ("slices of a missing axis", (x, index) => x.IndexSelect(-3, index), ["axis -3"]),
        (
            "too many axes", (x, index) => x.Reshape([1, 1, 1, 1, 1, 3, 4]).IndexSelect(0, index.Unsqueeze(0)), ["9 axes"]),
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
    public void An_index_out_of_range_is_named([Values(-1, 5, int.MaxValue)] int wrong, [Values] bool slices)
    {
        var graph = new Graph(GraphMode.Inference);
        Value index = graph.Input(new Shape(3), DType.Int32), x = graph.Input(new Shape(5));
        Value y = slices ? x.IndexSelect(0, index) : x.Gather(0, index);
        using var run = new GraphRun(Two, graph, [y], null, []);
        run.Set(index, [1, 2, wrong]);
        run.Upload();
        Assert.That(
            run.Forward,
            Throws.TypeOf<InvalidDatasetException>().With.Message.Contains($"{(slices ? "IndexSelect" : "Gather")}: index {wrong}")
                .And.Message.Contains("position 2").And.Message.Contains("0..4"));
    }

    [Test]
    public void Indices_of_a_sessions_input_are_checked_when_they_are_given()
    {
        var graph = new Graph(GraphMode.Inference);
        Value index = graph.Input([Dim.Batch], DType.Int32, "rows");
        Value y = graph.Constant([1, 2, 3, 4, 5, 6], new Shape(3, 2)).IndexSelect(0, index);
        using Device device = Device.Cpu(1);
        using Session session = graph.Compile(device, [y]);
        Assert.That(
            () =>
            {
                using SessionRun run = session.Begin(new Shape(3));
                run.Write<int>(0, [0, 3, 1]);
            },
            Throws.TypeOf<InvalidDatasetException>().With.Message.Contains("IndexSelect").And.Message.Contains("0..2").And.Message
                .Contains("'rows'"));
    }
}
