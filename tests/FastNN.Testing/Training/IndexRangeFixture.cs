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
