using FastNN.Layers;

namespace FastNN.Tests.Layers;

/// <summary>Recurrent layers: names, files, states, lengths, last outputs, dropout and errors.</summary>
internal sealed class RecurrentLayerTests
{
    private Device _device = null!;

    private static IEnumerable<TestCaseData> Kinds
    {
        get
        {
            yield return Row(1, () => new SimpleRnn(3) { LayerCount = 2, IsBidirectional = true });
            yield return Row(4, () => new Lstm(3) { LayerCount = 2, IsBidirectional = true });
            yield return Row(3, () => new Gru(3) { LayerCount = 2, IsBidirectional = true });
        }
    }

    [OneTimeSetUp]
    public void OpenDevice() => _device = Device.Cpu(1);

    [OneTimeTearDown]
    public void DisposeDevice() => _device.Dispose();

    [TestCaseSource(nameof(Kinds))]
    public void Parameters_have_PyTorchs_names_and_shapes(int gates, Func<RecurrentLayer> create)
    {
        RecurrentLayer layer = create();
        layer.Build(new Shape(5, 4));
        string[] expected = [
            .. from suffix in new[] { "l0", "l0_reverse", "l1", "l1_reverse" }
            let features = suffix.StartsWith("l0", StringComparison.Ordinal) ? 4 : 6
            from parameter in new[]
            {
                $"weight_ih_{suffix} [{3 * gates}, {features}]", $"weight_hh_{suffix} [{3 * gates}, 3]",
                $"bias_ih_{suffix} [{3 * gates}]", $"bias_hh_{suffix} [{3 * gates}]",
            }
            select parameter];
        Assert.That(
            layer.NamedParameters.Select(named => $"{named.Name} {named.Parameter.Layout.FileShape(named.Parameter.Shape)}"),
            Is.EqualTo(expected));
        Assert.That(layer.Parameters.SelectMany(Values).Max(MathF.Abs), Is.LessThanOrEqualTo(1 / MathF.Sqrt(3)));
    }

    [TestCaseSource(nameof(Kinds))]
    public void A_model_file_makes_the_layer_again(int gates, Func<RecurrentLayer> create)
    {
        _ = gates;
        var model = new Sequential(create(), new Dense(2));
        model.Build(new Shape(5, 4), seed: 3);
        float[] x = [.. Enumerable.Range(0, 40).Select(i => MathF.Sin(i))];
        using var file = new MemoryStream();
        model.Save(file);
        file.Position = 0;
        Model again = Model.Load(file);
        Assert.That(Recurrent(again).ToString(), Is.EqualTo(Recurrent(model).ToString()));
        Near.SameBits([Predict(model, x)], [Predict(again, x)]);
    }

    [TestCaseSource(nameof(Kinds))]
    public void Lengths_and_states_enter_behind_the_sequences(int gates, Func<RecurrentLayer> create)
    {
        bool isLstm = gates == 4;
        RecurrentLayer layer = create();
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(2, 5, 4)), lengths = graph.Input(new Shape(2), DType.Int32);
        Value h = graph.Input(new Shape(2, 4, 3)), c = graph.Input(new Shape(2, 4, 3));
        Value y = (isLstm ? layer.Apply(x, h, c, lengths) : layer.Apply(x, h, lengths))[0];
        Assert.That(y.Shape, Is.EqualTo(new Shape(2, 5, 6)));
        Assert.That(() => layer.Apply(x, lengths), Throws.Nothing);
        Assert.That(() => layer.Apply(x, x), Throws.TypeOf<ShapeException>().With.Message.Contains("first state"));
        Assert.That(
            () => layer.Apply(x, h, h, h), Throws.TypeOf<ShapeException>().With.Message.Contains("got 4 inputs"));
    }

    [Test]
    public void The_last_output_is_that_of_each_sequences_last_step()
    {
        var all = new Gru(3);
        var last = new Gru(3) { ReturnSequences = false };
        all.Build(new Shape(5, 4), seed: 3);
        last.Build(new Shape(5, 4), seed: 3);
        float[] x = [.. Enumerable.Range(0, 40).Select(i => MathF.Cos(i))];
        float[] sequences = Predict(all, x), ends = Predict(last, x);
        Near.SameBits([[.. sequences[12..15], .. sequences[27..30]]], [ends]);
    }

    [Test]
    public void Dropout_is_between_layers_alone()
    {
        Value Record(int layers, GraphMode mode) =>
            new Lstm(3) { LayerCount = layers, DropoutRate = 0.5f }.Apply(new Graph(mode).Input(new Shape(2, 5, 4)));
        int Count(Value y) => y.Graph.Nodes.Count(node => node.Op.Name == "Dropout");
        Assert.That(Count(Record(1, GraphMode.Training)), Is.Zero);
        Assert.That(Count(Record(3, GraphMode.Training)), Is.EqualTo(2));
        Assert.That(Count(Record(3, GraphMode.Inference)), Is.Zero);
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        Value image = new Graph(GraphMode.Training).Input(new Shape(2, 5, 4, 3));
        Assert.That(
            () => new Lstm(3).Apply(image), Throws.TypeOf<ShapeException>().With.Message.Contains("[batch, time, features]"));
        Assert.That(() => new Lstm(0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => new SimpleRnn(3, Activation.Sigmoid), Throws.TypeOf<ArgumentException>().With.Message.Contains("Tanh or ReLU"));
        Assert.That(
            () => new Gru(3) { LayerCount = 0 }.Build(new Shape(5, 4)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("1 to 1000 layers, got 0"));
    }

    private static TestCaseData Row(int gates, Func<RecurrentLayer> create) =>
        new TestCaseData(gates, create).SetArgDisplayNames(create().GetType().Name);

    private static RecurrentLayer Recurrent(Layer model) =>
        LayerTree.Layers(model).Select(place => place.Layer).OfType<RecurrentLayer>().Single();

    private float[] Predict(Layer model, float[] x)
    {
        using Predictor predictor = model.CreatePredictor(_device);
        return predictor.Predict(x);
    }

    private static float[] Values(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }
}
