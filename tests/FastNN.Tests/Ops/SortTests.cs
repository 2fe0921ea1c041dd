namespace FastNN.Tests.Ops;

internal sealed class SortTests : CpuOpFixture<SortCases>
{
    /// <summary>By selection, by comparing and by digits.</summary>
    [Test]
    public void NaN_is_above_all_others_and_zeros_are_equal(
        [Values] bool descending, [Values(9, 600)] int length, [Values(9, 600)] int kept)
    {
        kept = Math.Min(kept, length);
        float[] row = [0f, float.NaN, -0f, float.PositiveInfinity, -1, float.NegativeInfinity, -float.NaN, 0f, 1e-40f];
        var x = new float[length];
        Array.Fill(x, descending ? float.NegativeInfinity : float.NaN);
        row.CopyTo(x, 0);
        var graph = new Graph(GraphMode.Inference);
        Value input = graph.Input(new Shape(1, length));
        (Value values, Value indices) = input.TopK(kept, largest: descending);
        Value places = indices.Cast(DType.Float32);
        using var run = new GraphRun(Two, graph, [values, places], null, []);
        run.Set(input, x);
        run.Upload();
        run.Forward();
        float[] expected = descending ? [1, 6, 3, 8, 0, 2, 7, 4, 5] : [5, 4, 0, 2, 7, 8, 3, 1, 6];
        Assert.That(run.Read(places)[..9], Is.EqualTo(expected));
        Assert.That(
            run.Read(values)[..9].Select(BitConverter.SingleToInt32Bits),
            Is.EqualTo(expected.Select(place => BitConverter.SingleToInt32Bits(row[(int)place]))));
    }

    /// <summary>Beside the scratch memory of a worker, and in the plan's workspace.</summary>
    [TestCase(100_003)]
    [TestCase(300_007)]
    public void Long_rows_come_back_in_order(int length)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(2, length));
        (Value values, _) = x.Sort();
        using var run = new GraphRun(Two, graph, [values], null, []);
        var random = new Random(5);
        float[] numbers = [.. Enumerable.Range(0, 2 * length).Select(_ => (float)((random.NextDouble() * 2) - 1))];
        run.Set(x, numbers);
        run.Upload();
        run.Forward();
        Assert.That(
            run.Read(values), Is.EqualTo((float[])[.. numbers[..length].Order(), .. numbers[length..].Order()]));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(2, 3));
        Assert.That(() => x.Sort(2), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2"));
        Assert.That(
            () => x.TopK(4), Throws.TypeOf<ShapeException>().With.Message.Contains("TopK").And.Message.Contains("got 4"));
        Assert.That(() => x.TopK(-1, 0), Throws.TypeOf<ShapeException>().With.Message.Contains("got -1"));
        Assert.That(
            () => graph.Input(new Shape(3), DType.Int32).ArgSort(),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Sort").And.Message.Contains("Float32"));
    }

    [Test]
    public void Nothing_is_sorted_where_there_is_nothing()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 0)), y = graph.Input(new Shape(2, 3));
        Value none = x.Sort().Values, first = y.TopK(0).Values;
        using var run = new GraphRun(One, graph, [none, first], first, [y]);
        run.Set(y, [1, 2, 3, 4, 5, 6]);
        run.Run();
        Assert.That(run.Read(none), Is.Empty);
        Assert.That(run.Gradient(y), Is.EqualTo(new float[6]));
    }

    [Test]
    public void Places_of_what_is_not_0()
    {
        Assert.That(
            HostOperators.NonZero<float>([0, 1, float.NaN, -0f, 0, 2], new Shape(2, 3)),
            Is.EqualTo(new int[][] { [0, 1], [0, 2], [1, 2] }));
        Assert.That(HostOperators.NonZero<int>([3], default), Is.EqualTo(new int[][] { [] }));
        Assert.That(
            () => HostOperators.NonZero<int>([3], new Shape(2)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("NonZero"));
    }
}
