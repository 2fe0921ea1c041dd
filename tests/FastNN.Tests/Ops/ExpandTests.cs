namespace FastNN.Tests.Ops;

internal sealed class ExpandTests : CpuOpFixture<ExpandCases>
{
    private static readonly Graph Graph = new(GraphMode.Training);

    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Value> Build, string[] Words)[]
    {
        ("expand to fewer axes", () => X(3, 4).Expand(4), ["Expand", "[3, 4]", "[4]"]),
        ("expand another extent", () => X(3, 4).Expand(5, 4), ["Expand", "[3, 4]", "[5, 4]"]),
        ("keep what is not there", () => X(4).Expand(-1, 4), ["Expand", "-1", "[4]"]),
        ("expand to too much", () => X(1).Expand(1 << 16, 1 << 16), ["Expand", "4,294,967,296"]),
        ("nine axes", () => X(1).Expand(1, 1, 1, 1, 1, 1, 1, 1, 1), ["9 axes"]),
        ("tile by a negative number", () => X(3, 4).Tile(2, -1), ["Tile", "[2, -1]"]),
        ("tile to too much", () => X(3, 4).Tile(1 << 30, 1 << 30), ["Tile", "2147483647"]),
        ("interleave never", () => X(3, 4).RepeatInterleave(0, 1), ["RepeatInterleave", "0", "[3, 4]"]),
        ("interleave a missing axis", () => X(3, 4).RepeatInterleave(2, 2), ["axis 2", "[3, 4]"]),
        ("interleave a symbol", () => X(Dim.Batch, 4).RepeatInterleave(2, 0), ["RepeatInterleave", "[N, 4]"]),
        ("squeeze twice", () => X(1, 4).Squeeze(0, -2), ["Squeeze", "[1, 4]"]),
        ("squeeze a missing axis", () => X(1, 4).Squeeze(2), ["axis 2"]),
        ("unsqueeze too far", () => X(1, 4).Unsqueeze(3), ["Unsqueeze", "3", "[1, 4]"]),
        ("flatten backwards", () => X(1, 4).Flatten(1, 0), ["Flatten", "[1, 4]"]),
        ("a grid of a matrix", () => ShapeOperators.Meshgrid(X(2), X(2, 3))[0], ["Meshgrid", "[2, 3]", "1"]),
        ("a grid of nothing", () => ShapeOperators.Meshgrid()[0], ["Meshgrid", "0"]),
        ("numbers that lead away", () => Graph.Arange(0, 5, -1), ["Arange", "-1"]),
    }.Select(row => new TestCaseData(row.Build, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void What_does_not_fit_is_named(Func<Value> build, string[] words)
    {
        string message = Assert.Throws<ShapeException>(() => build())!.Message;
        Assert.That(words.Where(word => !message.Contains(word, StringComparison.Ordinal)), Is.Empty, message);
    }

    [Test]
    public void Axes_of_extent_1_come_and_go_without_a_copy()
    {
        Value x = X(1, 3, 1, 4);
        Assert.That(x.Squeeze().Shape, Is.EqualTo(new Shape(3, 4)));
        Assert.That(x.Squeeze(0).Shape, Is.EqualTo(new Shape(3, 1, 4)));
        Assert.That(x.Squeeze(1), Is.SameAs(x), "PyTorch leaves other extents alone");
        Assert.That(x.Squeeze(-2, 0).Shape, Is.EqualTo(new Shape(3, 4)));
        Assert.That(x.Unsqueeze(-1).Shape, Is.EqualTo(new Shape(1, 3, 1, 4, 1)));
        Assert.That(x.Unsqueeze(0).Shape, Is.EqualTo(new Shape(1, 1, 3, 1, 4)));
        Assert.That(x.Flatten(1, 2).Shape, Is.EqualTo(new Shape(1, 3, 4)));
        Assert.That(x.Flatten(0).Shape, Is.EqualTo(new Shape(12)));
    }

    [Test]
    public void Symbols_are_repeated_and_repeated_to()
    {
        Value x = X(Dim.Batch, 1, 4);
        Assert.That(x.Expand(-1, 7, -1).Shape, Is.EqualTo(new Shape([Dim.Batch, 7, 4])));
        Assert.That(X(4).Expand(Dim.Batch, 4).Shape, Is.EqualTo(new Shape([Dim.Batch, 4])));
        Assert.That(x.Tile(1, 3, 2).Shape, Is.EqualTo(new Shape([Dim.Batch, 3, 8])));
        Value twice = x.Tile(2, 1, 1), flat = x.Flatten(0, 1);
        Assert.That(twice.Shape[1..], Is.EqualTo(new Shape(1, 4)));
        Assert.That(Dim.IsSymbol(twice.Shape[0]) && twice.Shape[0] != Dim.Batch, "twice the batch is another symbol");
        Assert.That(flat.Shape, Is.EqualTo(new Shape([Dim.Batch, 4])));
        Assert.That(Graph.Full([Dim.Batch, 3], 2).Shape, Is.EqualTo(new Shape([Dim.Batch, 3])));
    }

    [Test]
    public void Constants_follow_their_rule()
    {
        var graph = new Graph(GraphMode.Inference);
        Value full = graph.Full(new Shape(2, 3), 7), range = graph.Arange(1, 2, 0.25f), integers = graph.RangeInt32(-1, 3);
        Value readable = integers.Cast(DType.Float32);
        using var run = new GraphRun(One, graph, [full, range + 0, readable], null, []);
        run.Forward();
        Assert.That(run.Read(full), Is.EqualTo(new float[] { 7, 7, 7, 7, 7, 7 }));
        Assert.That(range.Shape, Is.EqualTo(new Shape(4)));
        Assert.That(run.Read(readable), Is.EqualTo(new float[] { -1, 0, 1 }));
    }

    [Test]
    public void A_symbol_of_an_input_is_known_before_an_operator_has_seen_it()
    {
        var graph = new Graph(GraphMode.Inference);
        graph.Input([Dim.Batch, 3]);
        Assert.That(graph.Full([Dim.Batch, 2], 1).Shape, Is.EqualTo(new Shape(Dim.Batch, 2)));
    }

    private static Value X(params int[] extents) => Graph.Input(new Shape(extents), name: Guid.NewGuid().ToString("N"));
}
