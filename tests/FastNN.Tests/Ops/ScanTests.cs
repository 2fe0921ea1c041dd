namespace FastNN.Tests.Ops;

internal sealed class ScanTests : CpuOpFixture<ScanCases>
{
    /// <summary>Rows that are cut into strips, and columns: both against sums in double.</summary>
    [Test]
    public void Long_sums_keep_a_floats_digits([Values] bool columns, [Values] bool reverse, [Values(1, 2)] int threads)
    {
        const int length = 300_007;
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(columns ? new Shape(length, 3) : new Shape(1, length));
        Value y = x.CumSum(columns ? 0 : 1, reverse: reverse);
        using var run = new GraphRun(threads == 1 ? One : Two, graph, [y], null, []);
        int side = columns ? 3 : 1;
        float[] values = [.. Enumerable.Range(0, length * side).Select(i => 1 + (0.37f * MathF.Sin(i)))];
        run.Set(x, values);
        run.Upload();
        run.Forward();
        float[] sums = run.Read(y);
        double sum = 0;
        for (int i = 0; i < length; i++)
        {
            int at = (reverse ? length - 1 - i : i) * side;
            sum += values[at];
            Assert.That(sums[at], Is.EqualTo(sum).Within(1e-6 * sum), $"place {i}");
        }
    }

    [Test]
    public void Infinities_and_NaN_stay_from_their_place_on([Values] bool columns)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(columns ? new Shape(4, 2) : new Shape(2, 4)), y = x.CumSum(columns ? 0 : 1);
        using var run = new GraphRun(One, graph, [y], null, []);
        float infinity = float.PositiveInfinity;
        run.Set(x, columns ? [1, 1, infinity, 2, 3, float.NaN, 4, 4] : [1, infinity, 3, 4, 1, 2, float.NaN, 4]);
        run.Upload();
        run.Forward();
        float[] rows = [1, infinity, infinity, infinity, 1, 3, float.NaN, float.NaN];
        float[] expected = columns ? [.. Enumerable.Range(0, 8).Select(i => rows[(i % 2 * 4) + (i / 2)])] : rows;
        Assert.That(run.Read(y), Is.EqualTo(expected));
    }

    [Test]
    public void Nothing_is_scanned_where_there_is_nothing()
    {
        var graph = new Graph(GraphMode.Inference);
        Value y = graph.Input(new Shape(3, 0)).CumSum(), products = graph.Input(new Shape(0, 3)).CumProd();
        using var run = new GraphRun(One, graph, [y, products], null, []);
        run.Forward();
        Assert.That(run.Read(y), Is.Empty);
        Assert.That(run.Read(products), Is.Empty);
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Inference);
        Assert.That(
            () => graph.Input(new Shape(2, 3)).CumSum(2), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2"));
        Assert.That(
            () => graph.Input(new Shape(2, 3), DType.Int32).CumProd(),
            Throws.TypeOf<ShapeException>().With.Message.Contains("CumProd").And.Message.Contains("Float32"));
        Assert.That(() => graph.Input(default).CumSum(), Throws.TypeOf<ShapeException>());
    }
}
