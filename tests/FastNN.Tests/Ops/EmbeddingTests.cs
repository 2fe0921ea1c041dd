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

    [Test]
    public void The_padding_row_is_zero_at_first_and_the_others_are_not()
    {
        var layer = new Embedding(5, 3) { PaddingIndex = 2 };
        var other = new Embedding(5, 3);
        layer.Apply(new Graph(GraphMode.Inference).Input(new Shape(1, 4), DType.Int32));
        layer.Weight!.Initialize(seed: 1, 0);
        other.Apply(new Graph(GraphMode.Inference).Input(new Shape(1, 4), DType.Int32));
        other.Weight!.Initialize(seed: 1, 0);
        float[] padded = new float[15], whole = new float[15];
        layer.Weight.Read(padded);
        other.Weight.Read(whole);
        Assert.That(padded[6..9], Is.All.Zero);
        Assert.That(whole[6..9], Has.None.Zero);
        Assert.That((float[])[.. padded[..6], .. padded[9..]], Is.EqualTo((float[])[.. whole[..6], .. whole[9..]]));
    }

    [Test]
    public void What_does_not_fit_a_bag_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value indices = graph.Input(new Shape(3, 2), DType.Int32), weight = graph.Input(new Shape(5, 4));
        Value list = graph.Input(new Shape(3), DType.Int32), empty = graph.Input(new Shape(3, 0), DType.Int32);
        Value wide = graph.Input(new Shape(3, 2), DType.Int64), factors = graph.Input(new Shape(3, 2));
        Assert.That(() => list.EmbeddingBag(weight), Throws.TypeOf<ShapeException>().With.Message.Contains("[B, L]"));
        Assert.That(() => empty.EmbeddingBag(weight), Throws.TypeOf<ShapeException>().With.Message.Contains("at least 1"));
        Assert.That(
            () => indices.EmbeddingBag(weight, EmbeddingBagMode.Mean, factors),
            Throws.TypeOf<ShapeException>().With.Message.Contains("mode Sum").And.Message.Contains("Mean"));
        Assert.That(
            () => indices.EmbeddingBag(weight, EmbeddingBagMode.Sum, weight),
            Throws.TypeOf<ShapeException>().With.Message.Contains("[3, 2]").And.Message.Contains("[5, 4]"));
        Assert.That(
            () => wide.EmbeddingBag(weight, paddingIndex: 1), Throws.TypeOf<ShapeException>().With.Message.Contains("Int32"));
        Assert.That(
            () => indices.EmbeddingBag(weight, paddingIndex: 5),
            Throws.TypeOf<ShapeException>().With.Message.Contains("padding"));
    }

    [Test]
    public void A_bag_layer_is_made_again_from_a_description()
    {
        var description = new LayerDescription("EmbeddingBag", "bag", []);
        var layer = new EmbeddingBag(5, 3, EmbeddingBagMode.Max) { PaddingIndex = 2 };
        layer.Describe(description);
        Assert.That(EmbeddingBag.Create(description).ToString(), Is.EqualTo(layer.ToString()));
        Assert.That(
            layer.Apply(new Graph(GraphMode.Inference).Input(new Shape(4, 2), DType.Int32)).Shape, Is.EqualTo(new Shape(4, 3)));
        Assert.That(
            () => layer.Apply(layer.Apply(new Graph(GraphMode.Inference).Input(new Shape(4, 2), DType.Int32))),
            Throws.TypeOf<ShapeException>());
    }
}
