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
    public void What_does_not_fit_a_list_of_bags_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value list = graph.Input(new Shape(7), DType.Int32), weight = graph.Input(new Shape(5, 4));
        Value offsets = graph.Input(new Shape(3), DType.Int32), factors = graph.Input(new Shape(7));
        Assert.That(
            () => list.Unsqueeze(0).EmbeddingBag(weight, offsets),
            Throws.TypeOf<ShapeException>().With.Message.Contains("[T] and offsets [B]").And.Message.Contains("[1, 7]"));
        Assert.That(
            () => list.EmbeddingBag(weight, offsets, EmbeddingBagMode.Max, factors),
            Throws.TypeOf<ShapeException>().With.Message.Contains("mode Sum").And.Message.Contains("Max"));
        Assert.That(
            () => list.EmbeddingBag(weight, offsets, EmbeddingBagMode.Mean, factors),
            Throws.TypeOf<ShapeException>().With.Message.Contains("mode Sum"));
        var layer = new EmbeddingBag(5, 4, EmbeddingBagMode.Sum);
        Assert.That(layer.Apply([list, offsets, factors])[0].Shape, Is.EqualTo(new Shape(3, 4)));
        Assert.That(
            () => layer.Apply([list]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("offsets [B]").And.Message.Contains("[7]"));
    }

    [Test]
    public void A_list_and_its_bags_may_have_lengths_that_calls_decide()
    {
        var graph = new Graph(GraphMode.Inference);
        Value list = graph.Input(new Shape(Dim.Named("places")), DType.Int32, "list");
        Value offsets = graph.Input(new Shape(Dim.Batch), DType.Int32, "offsets");
        Value weight = graph.Constant([1, 10, 100, 1000], new Shape(4, 1));
        using Device device = Device.Cpu(1);
        using Session session = graph.Compile(
            device,
            [
                ("sums", list.EmbeddingBag(weight, offsets, EmbeddingBagMode.Sum)),
                ("maxima", list.EmbeddingBag(weight, offsets, EmbeddingBagMode.Max)),
            ]);
        foreach ((int[] places, int[] starts, float[] sums, float[] maxima) in new (int[], int[], float[], float[])[]
        {
            ([0, 1, 2, 3], [0, 3], [111, 1000], [100, 1000]), ([3, 3, 0], [0, 0, 2], [0, 2000, 1], [0, 1000, 1]),
        })
        {
            using SessionRun run = session.Begin([places.Length], [starts.Length]);
            run.Write<int>("list", places);
            run.Write<int>("offsets", starts);
            run.Compute();
            var y = new float[starts.Length];
            run.Read<float>("sums", y);
            Assert.That(y, Is.EqualTo(sums));
            run.Read<float>("maxima", y);
            Assert.That(y, Is.EqualTo(maxima));
        }
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
