namespace FastNN.Tests.Ops;

internal sealed class EmbeddingTests : CpuOpFixture<EmbeddingCases>
{
    [Test]
    public void An_index_out_of_range_is_named([Values(-1, 5, int.MaxValue)] int index)
    {
        var graph = new Graph(GraphMode.Inference);
        Value indices = graph.Input(new Shape(3), DType.Int32), weight = graph.Input(new Shape(5, 4));
        Value y = indices.Embedding(weight);
        using var run = new GraphRun(Two, graph, [y], null, []);
        run.Set(indices, [1, 2, index]);
        run.Upload();
        Assert.That(
            run.Forward,
            Throws.TypeOf<InvalidDatasetException>().With.Message.Contains($"index {index} at position 2").And.Message.Contains(
                "0..4"));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value indices = graph.Input(new Shape(3), DType.Int32), floats = graph.Input(new Shape(3)),
        weight = graph.Input(new Shape(5, 4));
        Assert.That(() => floats.Embedding(weight), Throws.TypeOf<ShapeException>().With.Message.Contains("Int32"));
        Assert.That(() => indices.Embedding(floats), Throws.TypeOf<ShapeException>().With.Message.Contains("[V, D]"));
        Assert.That(
            () => indices.Embedding(weight, paddingIndex: 5), Throws.TypeOf<ShapeException>().With.Message.Contains("padding"));
    }
}
