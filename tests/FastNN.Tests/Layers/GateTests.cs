using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

internal sealed class GateTests : TrainingFixture
{
    [Test]
    public void Gates_and_slopes_come_back_from_a_model_file()
    {
        var model = new Sequential(
            new Dense(12), new PReLU(12) { WeightInitializer = Initializer.Uniform(-0.5f, 0.5f) },
            new GLU { Gate = GateKind.SiLU }, new PReLU(), new GLU(-1));
        model.Build(new Shape(5), seed: 3);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        Model loaded = Model.Load(stream);
        Assert.That(
            loaded.NamedParameters.Select(named => named.ToString()),
            Is.EqualTo(model.NamedParameters.Select(named => named.ToString())));
        Assert.That(model.NamedParameters.Select(named => named.Name), Does.Contain("1.weight").And.Contain("3.weight"));
        float[] x = [0.3f, -1, 2, 0.5f, -0.7f];
        using Predictor first = model.CreatePredictor(Device), second = loaded.CreatePredictor(Device);
        Assert.That(second.Predict(x), Is.EqualTo(first.Predict(x)));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        Assert.That(() => new PReLU(0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => new PReLU(3).Build(new Shape(4)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("PReLU").And.Message.Contains("3 channels"));
        Assert.That(
            () => new GLU().Build(new Shape(5)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("GLU").And.Message.Contains("even"));
        Value x = new Graph(GraphMode.Inference).Input([Dim.Batch, 4]);
        Assert.That(() => x.SwiGLU(0), Throws.TypeOf<ShapeException>().With.Message.Contains("SwiGLU"));
        Assert.That(() => x.ReGLU(2), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2"));
    }
}
