using FastNN.Tensors;
using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>Dense layers with fewer numbers: of low rank, sparse, and of two inputs.</summary>
internal sealed class ProductLayerTests : TrainingFixture
{
    [Test]
    public void A_sparse_layer_gives_what_the_dense_one_gives([Values(1, 4)] int block, [Values] bool sequences)
    {
        SparseMatrix weight = SparseCases.Matrix(8, 5, 0.4, block);
        Shape example = sequences ? new Shape(3, 5) : new Shape(5);
        var sparse = new Sequential(new SparseDense(weight, Activation.Tanh));
        var dense = new Sequential(new Dense(8, Activation.Tanh));
        sparse.Build(example);
        dense.Build(example);
        float[] values = weight.ToDense();
        dense.NamedParameters[0].Parameter.Write([.. Enumerable.Range(0, 40).Select(i => values[(i % 8 * 5) + (i / 8)])]);
        float[] x = Draw(4 * (int)example.Count);
        Near.Check("y", Predict(sparse, x), Array.ConvertAll(Predict(dense, x), value => (double)value), 1e-6);
    }

    [Test]
    public void Layers_come_back_from_a_model_file([Values(1, 4)] int block)
    {
        var model = new Sequential(
            new LowRankDense(12, 2, Activation.ReLU) { UseBias = false }, new LowRankDense(5, 3),
            new SparseDense(SparseCases.Matrix(8, 5, 0.5, block), Activation.Sigmoid) { UseBias = block == 1 });
        model.Build(new Shape(7), seed: 3);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        Model loaded = Model.Load(stream);
        float[] x = Draw(5 * 7);
        Near.SameBits(Predict(model, x), Predict(loaded, x));
        Assert.That(
            loaded.NamedParameters.Select(named => named.ToString()),
            Is.EqualTo(model.NamedParameters.Select(named => named.ToString())));
    }

    [Test]
    public void A_layer_of_low_rank_has_few_weights()
    {
        var layer = new LowRankDense(100, 3);
        layer.Build(new Shape(200));
        Assert.That(
            layer.NamedParameters.Select(named => named.ToString()),
            Is.EqualTo(new[] { "u.weight [200, 3]", "v.weight [3, 100]", "v.bias [100]" }));
        Assert.That(() => new LowRankDense(0, 3), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new LowRankDense(3, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void A_model_of_two_inputs_is_bilinear()
    {
        var graph = new Graph(GraphMode.Training);
        var layer = new Bilinear(4);
        Value y = layer.Apply(graph.Input([Dim.Batch, 3]), graph.Input([Dim.Batch, 5]))[0];
        Assert.That(y.Shape, Is.EqualTo(new Shape([Dim.Batch, 4])));
        Assert.That(layer.Weight!.Shape, Is.EqualTo(new Shape(4, 3, 5)));
        Assert.That(layer.Bias!.Shape, Is.EqualTo(new Shape(4)));
        Assert.That(
            () => new Bilinear(4).Apply(graph.Input(new Shape(2, 3))),
            Throws.TypeOf<ShapeException>().With.Message.Contains("two inputs").And.Message.Contains("[2, 3]"));
    }

    [Test]
    public void Features_that_a_sparse_weight_does_not_have_are_named() => Assert.That(
        () => new SparseDense(SparseCases.Matrix(8, 5, 0.4, 1)).Build(new Shape(6)),
        Throws.TypeOf<ShapeException>().With.Message.Contains("[..., 5]").And.Message.Contains("[1, 6]"));

    private static float[] Draw(int count)
    {
        var x = new float[count];
        Philox.FillUniform(x, 1, 1);
        return x;
    }

    private float[] Predict(Layer model, float[] x)
    {
        using Predictor predictor = model.CreatePredictor(Device);
        return predictor.Predict(x);
    }
}
