namespace FastNN.Tests.Ops;

internal sealed class ScaledDotProductTests : CpuOpFixture<ScaledDotProductCases>
{
    private static IEnumerable<TestCaseData> Misfits
    {
        get
        {
            Shape four = new(2, 4, 7, 8);
            yield return Misfit("axes", four, new Shape(2, 4, 8), four, "[2, 4, 8]");
            yield return Misfit("batches", four, new Shape(3, 4, 7, 8), new Shape(3, 4, 7, 8), "batch");
            yield return Misfit("widths", four, new Shape(2, 4, 7, 6), four, "width");
            yield return Misfit("lengths", four, new Shape(2, 4, 9, 8), four, "length");
            yield return Misfit("heads", four, new Shape(2, 3, 7, 8), new Shape(2, 3, 7, 8), "divides");
            yield return Misfit("no heads", four, new Shape(2, 0, 7, 8), new Shape(2, 0, 7, 8), "divides");
            yield return Misfit("too wide", new Shape(1, 1, 2, 2049), new Shape(1, 1, 2, 2049), new Shape(1, 1, 2, 4), "2048");
            yield return Misfit("no width", new Shape(1, 1, 2, 0), new Shape(1, 1, 2, 0), new Shape(1, 1, 2, 4), "width");

            static TestCaseData Misfit(string name, Shape query, Shape key, Shape value, string words) =>
                new TestCaseData(query, key, value, words).SetArgDisplayNames(name);
        }
    }

    [TestCaseSource(nameof(Misfits))]
    public void Operands_that_do_not_fit_are_named(Shape query, Shape key, Shape value, string words)
    {
        var graph = new Graph(GraphMode.Training);
        Value q = graph.Input(query), k = graph.Input(key), v = graph.Input(value);
        Assert.That(
            () => q.ScaledDotProductAttention(k, v),
            Throws.TypeOf<ShapeException>().With.Message.Contains("ScaledDotProductAttention").And.Message.Contains(words));
    }

    [Test]
    public void Masks_lengths_and_options_that_do_not_fit_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value q = graph.Input(new Shape(2, 4, 7, 8)), packed = graph.Input(new Shape(2, 7, 24));
        Assert.Multiple(() =>
        {
            Refused(() => q.ScaledDotProductAttention(q, q, graph.Input(new Shape(7, 6), DType.Bool)), "[7, 6]");
            Refused(() => q.ScaledDotProductAttention(q, q, graph.Input(new Shape(1, 2, 4, 7, 7), DType.Bool)), "broadcasts");
            Refused(() => q.ScaledDotProductAttention(q, q, graph.Input(new Shape(7, 7), DType.Int32)), "Bool");
            Refused(() => q.ScaledDotProductAttention(q, q, lengths: graph.Input(new Shape(3), DType.Int32)), "[1] or [2]");
            Refused(() => q.ScaledDotProductAttention(q, q, lengths: graph.Input(new Shape(2))), "Int32");
            Refused(() => q.ScaledDotProductAttention(q, q, scale: float.NaN), "finite");
            Refused(
                () => q.ScaledDotProductAttention(q, q, dropout: 0.5f, lengths: graph.Input(new Shape(2), DType.Int32)),
                "lengths");
            Refused(() => packed.PackedAttention(5), "15 D");
            Refused(() => packed.PackedAttention(4, 3), "divides");
            Refused(() => packed.PackedAttention(0), "divides");
            Refused(() => q.PackedAttention(2), "[2, 4, 7, 8]");
            Assert.That(
                () => q.ScaledDotProductAttention(q, q, causal: (CausalMask)7), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => q.ScaledDotProductAttention(q, q, dropout: 1),
                Throws.TypeOf<ShapeException>().With.Message.Contains("rate"));
        });

        static void Refused(Func<Value> record, string words) => Assert.That(
            () => record(),
            Throws.TypeOf<ShapeException>().With.Message.Contains("ScaledDotProductAttention").And.Message.Contains(words));
    }

    [Test]
    public void Operands_without_heads_or_batch_are_taken_as_PyTorch_takes_them()
    {
        var graph = new Graph(GraphMode.Inference);
        Value q = graph.Input(new Shape(7, 8)), k = graph.Input(new Shape(9, 8)), v = graph.Input(new Shape(9, 3));
        Assert.That(q.ScaledDotProductAttention(k, v).Shape, Is.EqualTo(new Shape(7, 3)));
        Value x = graph.Input([Dim.Batch, 7, 8]), mask = graph.Input([Dim.Batch, 7, 7], DType.Bool);
        Assert.That(x.ScaledDotProductAttention(x, x, mask).Shape, Is.EqualTo(new Shape([Dim.Batch, 7, 8])));
    }

    /// <summary>No keys at all, no queries, no examples.</summary>
    [TestCase(2, 3, 0)]
    [TestCase(2, 0, 3)]
    [TestCase(0, 3, 3)]
    public void Attention_over_nothing_is_zero(int batch, int queries, int keys)
    {
        var graph = new Graph(GraphMode.Training);
        Value q = graph.Input(new Shape(batch, 2, queries, 4)), k = graph.Input(new Shape(batch, 2, keys, 4));
        Value y = q.ScaledDotProductAttention(k, k);
        using var run = new GraphRun(One, graph, [], y, [q, k]);
        run.Run();
        Assert.That(run.Read(y).Concat(run.Gradient(q)).Concat(run.Gradient(k)), Is.All.Zero);
    }

    [Test]
    public void A_query_that_is_not_a_number_spoils_its_own_row_alone()
    {
        var graph = new Graph(GraphMode.Inference);
        Value query = graph.Input(new Shape(1, 1, 3, 2)), key = graph.Input(new Shape(1, 1, 3, 2));
        Value y = query.ScaledDotProductAttention(key, key, causal: CausalMask.UpperLeft);
        using var run = new GraphRun(One, graph, [y], null, []);
        run.Set(query, [1f, 2, float.NaN, 4, 0, 0]);
        run.Set(key, [1f, 2, 3, 4, 5, 9]);
        run.Upload();
        run.Forward();
        Assert.That(run.Read(y), Is.EqualTo(new[] { 1, 2, float.NaN, float.NaN, 3, 5 }));
    }

    /// <summary>A mask from a parameter is differentiated, by writing the scores out; the output is the same.</summary>
    [Test]
    public void A_mask_that_is_trained_gets_its_gradient()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 4, 5, 8)), key = graph.Input(new Shape(2, 2, 5, 8));
        Value bias = graph.Use(new Parameter("bias", new Shape(4, 5, 5), Initializer.Zeros));
        Value trained = x.ScaledDotProductAttention(key, key, bias), fixedMask = x.ScaledDotProductAttention(
            key, key, graph.Input(new Shape(4, 5, 5)));
        Assert.That(graph.Nodes.Count(node => node.Op.Name == "ScaledDotProductAttention"), Is.EqualTo(1));
        Assert.That((trained.Shape, trained.Producer!.Op.Name), Is.EqualTo((fixedMask.Shape, "Reshape")));
    }

    [Test]
    public void Memory_does_not_grow_with_the_square_of_the_length()
    {
        long Bytes(int length)
        {
            var graph = new Graph(GraphMode.Training);
            Value x = graph.Input(new Shape(1, 2, length, 16));
            using var run = new GraphRun(One, graph, [], x.ScaledDotProductAttention(x, x), [x]);
            return run.Plan.PeakBytes;
        }

        Assert.That(Bytes(4096), Is.LessThanOrEqualTo(4 * Bytes(1024) + 4096));
    }
}
