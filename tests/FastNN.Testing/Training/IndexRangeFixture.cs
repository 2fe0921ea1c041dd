namespace FastNN.Testing;

/// <summary>Integers that operators index with are checked on the host when they are written, whatever the device.</summary>
internal abstract class IndexRangeFixture
{
    protected abstract Device Open();

    [Test]
    public void A_session_names_an_index_that_no_row_has_and_its_place(
        [Values(-1L, 5L, (long)int.MaxValue)] long wrong, [Values] bool wide)
    {
        var graph = new Graph(GraphMode.Inference);
        Value ids = graph.Input([Dim.Batch, 3], wide ? DType.Int64 : DType.Int32, "ids");
        Value table = graph.Constant(new float[10], new Shape(5, 2));
        using Device device = Open();
        using Session session = graph.Compile(device, [ids.Reshape([Dim.Batch, 1, 3]).Embedding(table)]);
        using SessionRun run = session.Begin([2, 3]);
        string? message = null;
        try
        {
            if (wide)
            {
                run.Write<long>(0, [0, 4, 1, 2, wrong, 3]);
            }
            else
            {
                run.Write<int>(0, [0, 4, 1, 2, (int)wrong, 3]);
            }
        }
        catch (InvalidDatasetException exception)
        {
            message = exception.Message;
        }

        Assert.That(message, Is.EqualTo($"Embedding: expected indices 0..4, got {wrong} at position 4 of input 'ids'."));
        if (!wide)
        {
            run.Write<int>(0, [0, 4, 1, 2, 0, 3]);
            run.Compute();
        }
    }

    private static IEnumerable<TestCaseData> Indexed() =>
    [
        Of("Embedding", 5, ids => ids.Embedding(Table(ids, 5, 2))),
        Of("Embedding", 6, ids => ids.EmbeddingBag(Table(ids, 6, 2), EmbeddingBagMode.Sum)),
        Of("Gather", 5, ids => Table(ids, 2, 5).Gather(1, ids)),
        Of("IndexSelect", 5, ids => Table(ids, 2, 5).IndexSelect(1, ids.Flatten(0))),
        Of("Scatter", 8, ids => Table(ids, 8, 3).Scatter(0, ids, Table(ids, 2, 3))),
        Of("ScatterAdd", 8, ids => Table(ids, 8, 3).ScatterAdd(0, ids, Table(ids, 2, 3))),
        Of("OneHot", 5, ids => ids.OneHot(5)),
        Of("CrossEntropy", 5, ids => Loss.SparseCrossEntropy.Apply(
            ids.Graph.Constant(new float[30], new Shape(2, 3, 5)), ids)),
        Of("CtcLoss", 5, ids => ids.Graph.Constant(new float[50], new Shape(5, 2, 5)).CtcLoss(
            ids, ids.Graph.ConstantInt32([5, 5], new Shape(2)), ids.Graph.ConstantInt32([1, 1], new Shape(2)))),
        Of("Lstm lengths", 8, ids => ids.Graph.Constant(new float[84], new Shape(7, 6, 2)).Lstm(
            Table(ids, 2, 4), Table(ids, 1, 4), lengths: ids.Flatten(0))[0]),
    ];

    [TestCaseSource(nameof(Indexed))]
    public void An_index_out_of_range_is_named_and_nothing_is_written(string name, int count, Func<Value, Value> record)
    {
        var graph = new Graph(GraphMode.Inference);
        Value ids = graph.Input([2, 3], DType.Int32, "ids");
        Value y = record(ids);
        using Device device = Open();
        using Session session = graph.Compile(device, [y]);
        using SessionRun run = session.Begin([2, 3]);
        int[] right = [1, 2, 3, 0, 4, count > 5 ? 5 : 0];
        run.Write<int>(0, right);
        run.Compute();
        float[] before = new float[y.Shape.Count], after = new float[y.Shape.Count];
        run.Read<float>(0, before);
        foreach (int wrong in new[] { -1, count, int.MaxValue, int.MinValue })
        {
            string? message = null;
            try
            {
                run.Write<int>(0, [4, 0, 4, 0, wrong, 4]);
            }
            catch (InvalidDatasetException exception)
            {
                message = exception.Message;
            }

            Assert.That(message, Does.StartWith($"{name}: expected indices 0..{count - 1}"));
            Assert.That(message, Does.Contain($"got {wrong} at position 4"));
        }

        string? refusal = null;
        try
        {
            run.Compute();
        }
        catch (InvalidOperationException exception)
        {
            refusal = exception.Message;
        }

        Assert.That(refusal, Does.Contain("nothing was written to input 'ids'"));
        run.Write<int>(0, right);
        run.Compute();
        run.Read<float>(0, after);
        Near.SameBits(before, after);
    }

    private static TestCaseData Of(string name, int count, Func<Value, Value> record) =>
        new TestCaseData(name, count, record).SetArgDisplayNames($"{name} {count}");

    private static Value Table(Value ids, int rows, int columns) => ids.Graph.Constant(
        [.. Enumerable.Range(0, rows * columns).Select(i => (float)i)], new Shape(rows, columns));

    [Test]
    public void A_step_names_a_class_that_there_is_not_and_lets_the_ignored_one_pass()
    {
        Sequential model = Toy.Built();
        using Device device = Open();
        using var weights = new DeviceWeights(device, model);
        using var step = new TrainingStep(weights, s =>
        {
            Value y = model.Apply(s.Input("x", [Dim.Batch, 2]));
            s.Loss("loss", Loss.CrossEntropy.Apply(y, s.Input("target", [Dim.Batch], DType.Int32)));
        }, [(new Sgd(), model.Parameters)]);
        step.Begin([2, 2], [2]);
        step.Write("x", [0.5f, 0.25f, -1, 1]);
        Assert.That(
            () => step.Write("target", [1, Toy.Classes]),
            Throws.TypeOf<InvalidDatasetException>().With.Message.EqualTo(
                $"CrossEntropy: expected indices 0..{Toy.Classes - 1}, or -100, which is ignored, got {Toy.Classes} at position 1 of input 'target'."));
        Assert.That(
            () => step.Write("target", [-1, 1]),
            Throws.TypeOf<InvalidDatasetException>().With.Message.Contains("got -1 at position 0"));
        step.Write("target", [-100, 1]);
        Assert.That(step.Run(), Is.GreaterThan(0f));
    }
}
