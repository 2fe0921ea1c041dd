namespace FastNN.Tests.Ops;

internal sealed class GridSampleTests : CpuOpFixture<GridSampleCases>
{
    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Graph, Value> Build, string[] Words)[]
    {
        ("rank", g => g.Input([2, 4, 3]).GridSample(g.Input([2, 4, 4, 2])), ["GridSample", "[N, H, W, C]", "[2, 4, 3]"]),
        ("coordinates", g => g.Input([2, 4, 4, 3]).GridSample(g.Input([2, 4, 4, 3])), ["GridSample", "[N, OH, OW, 2]"]),
        ("batch", g => g.Input([2, 4, 4, 3]).GridSample(g.Input([1, 4, 4, 2])), ["GridSample", "same N", "[1, 4, 4, 2]"]),
        ("type", g => g.Input([2, 4, 4, 3]).GridSample(g.Input([2, 4, 4, 2], DType.Int32)), ["GridSample", "Int32"]),
        ("empty", g => g.Input([2, 0, 4, 3]).GridSample(g.Input([2, 4, 4, 2])), ["GridSample", "[2, 0, 4, 3]"]),
        (
            "mode", g => g.Input([2, 4, 4, 3]).GridSample(g.Input([2, 4, 4, 2]), InterpolationMode.Cubic),
            ["GridSample", "Cubic"]),
        ("theta", g => g.Input([2, 3, 2]).AffineGrid(4), ["AffineGrid", "[N, 2, 3]", "[2, 3, 2]"]),
        ("no grid", g => g.Input([2, 2, 3]).AffineGrid((0, 4)), ["AffineGrid", "0x4"]),
        ("too large", g => g.Input([2, 2, 3]).AffineGrid(40_000), ["AffineGrid", "40000x40000", "2147483647"]),
    }.Select(row => new TestCaseData(row.Build, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void What_does_not_fit_is_named(Func<Graph, Value> build, string[] words)
    {
        string message = Assert.Throws<ShapeException>(() => build(new Graph(GraphMode.Training)))!.Message;
        Assert.Multiple(() => Array.ForEach(words, word => Assert.That(message, Does.Contain(word))));
    }

    [Test]
    public void Places_that_are_no_numbers_are_outside([Values] GridPadding padding)
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(1, 2, 2, 1)), grid = graph.Input(new Shape(1, 1, 3, 2));
        Value y = x.GridSample(grid, padding: padding);
        using var run = new GraphRun(Two, graph, [], y, [x, grid]);
        run.Set(x, [1f, 2f, 3f, 4f]);
        run.Set(grid, [float.NaN, 0, float.PositiveInfinity, float.NegativeInfinity, 1e30f, -1e30f]);
        run.SetRootGradient([1, 1, 1]);
        run.Run();
        Assert.That(run.Read(y), Has.All.AnyOf(0f, 1f, 2f, 3f, 4f, 1.5f, 2.5f));
        Assert.That(run.Gradient(x), Has.All.Matches<float>(float.IsFinite));
    }
}
