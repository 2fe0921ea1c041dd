namespace FastNN.Tests.Ops;

internal sealed class WindowMaxTests : CpuOpFixture<WindowMaxCases>
{
    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Value, Value> Build, string[] Words)[]
    {
        ("rank of a volume", x => x.MaxPool3D(2), ["MaxPool3D", "[N, D, H, W, C]", "[2, 4, 6, 3]"]),
        ("rank of a sequence", x => x.MaxPool1D(2), ["MaxPool1D", "[N, L, C]"]),
        ("window", x => x.MaxPool2DWithIndices(5).Y, ["MaxPool2DWithIndices", "height"]),
        ("stride", x => x.MaxPool2DWithIndices(2, 0).Y, ["MaxPool2DWithIndices", "stride"]),
        ("padding", x => x.MaxPool2DWithIndices(2, padding: 2).Y, ["MaxPool2DWithIndices", "padding"]),
        ("dilation", x => x.Reshape([2, 4, 2, 3, 3]).MaxPool3D(2, dilation: 0), ["MaxPool3D", "dilation"]),
        ("row's window", x => x.Reshape([8, 6, 3]).MaxPool1DWithIndices(7).Y, ["MaxPool1DWithIndices", "length"]),
        ("no bins", x => x.AdaptiveMaxPool2D((2, -1)), ["AdaptiveMaxPool2D", "2 x -1"]),
        ("no bins with places", x => x.AdaptiveMaxPool2DWithIndices(0).Y, ["AdaptiveMaxPool2DWithIndices", "0 x 0"]),
        ("integers", x => x.Cast(DType.Int32).AdaptiveMaxPool2D(3), ["AdaptiveMaxPool2D", "Int32"]),
        ("global", x => x.GlobalMaxPool3D(), ["GlobalMaxPool3D", "[2, 4, 6, 3]"]),
    }.Select(row => new TestCaseData(row.Build, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void What_does_not_fit_is_named(Func<Value, Value> build, string[] words)
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(2, 4, 6, 3));
        string message = Assert.Throws<ShapeException>(() => build(x))!.Message;
        Assert.Multiple(() => Array.ForEach(words, word => Assert.That(message, Does.Contain(word))));
    }

    [Test]
    public void NaN_wins_over_numbers_and_infinity()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(1, 6, 1));
        (Value y, Value indices) = x.MaxPool1DWithIndices(3);
        Value places = indices.Cast(DType.Float32);
        using var run = new GraphRun(One, graph, [places], y, [x]);
        const float least = float.NegativeInfinity;
        run.Set(x, [1, float.NaN, float.PositiveInfinity, least, least, least]);
        run.SetRootGradient([2, 3]);
        run.Run();
        Assert.That(run.Read(y), Is.EqualTo(new[] { float.NaN, float.NegativeInfinity }));
        Assert.That(run.Read(places), Is.EqualTo(new[] { 1f, 3f }));
        Assert.That(run.Gradient(x), Is.EqualTo(new[] { 0f, 2, 0, 3, 0, 0 }));
    }

    [Test]
    public void A_window_over_more_taps_than_16_bits_count_has_a_maximum()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(1, 257, 256, 1));
        Value y = x.GlobalMaxPool2D();
        using var run = new GraphRun(Two, graph, [], y, [x]);
        float[] values = new float[257 * 256];
        values[65_700] = 5;
        run.Set(x, values);
        run.SetRootGradient([2]);
        run.Run();
        Assert.That(run.Read(y), Is.EqualTo(new[] { 5f }));
        Assert.That(Array.IndexOf(run.Gradient(x), 2f), Is.EqualTo(65_700));
    }
}
