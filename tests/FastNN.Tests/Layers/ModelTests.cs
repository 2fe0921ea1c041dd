using FastNN.Tensors;
using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>
/// Models put together from symbols: several named inputs and outputs, shared layers, any directed acyclic graph.
/// </summary>
internal sealed class ModelTests : TrainingFixture
{
    [Test]
    public void Inputs_and_outputs_have_names_and_parameters_those_of_their_layers()
    {
        Model model = FunctionalModels.TwoByTwo();
        model.Build(seed: 3);
        Assert.Multiple(() =>
        {
            Assert.That(model.Inputs.Select(input => input.Name), Is.EqualTo(new[] { "image", "table" }));
            Assert.That(model.Outputs, Is.EqualTo(new[] { "price", "kind" }));
            Assert.That(
                model.NamedParameters.Select(named => named.ToString()),
                Is.EqualTo(new[]
                {
                    "cnn.0.weight [3, 3, 1, 4]", "cnn.0.bias [4]", "1.weight [5, 8]", "1.bias [8]", "price.weight [44, 1]",
                    "price.bias [1]",
                    "3.weight [44, 3]", "3.bias [3]",
                }));
        });
    }

    [Test]
    public void A_session_runs_a_model_of_two_inputs_and_two_outputs()
    {
        Model model = FunctionalModels.TwoByTwo();
        model.Build(seed: 3);
        using Session session = model.CreateSession(Device);
        Assert.That(
            session.Inputs.Select(input => input.ToString()),
            Is.EqualTo(new[] { "image: Float32[N, 8, 8, 1]", "table: Float32[N, 5]" }));
        float[] image = new float[7 * 64], table = new float[7 * 5];
        Philox.FillUniform(image, 1, 1);
        Philox.FillUniform(table, 1, 2);
        float[] price = new float[7], kind = new float[7 * 3], onePrice = new float[1], oneKind = new float[3];
        FunctionalModels.Run(session, image, table, price, kind);
        for (int i = 0; i < 7; i++)
        {
            FunctionalModels.Run(session, image.AsSpan(i * 64, 64), table.AsSpan(i * 5, 5), onePrice, oneKind);
            Assert.That(onePrice[0], Is.EqualTo(price[i]).Within(1e-5f));
            Assert.That(oneKind, Is.EqualTo(kind[(i * 3)..((i + 1) * 3)]).Within(1e-5f));
        }

        Assert.That(() => model.CreatePredictor(Device), Throws.InvalidOperationException.With.Message.Contains("2 and 2"));
    }

    [Test]
    public void A_chain_of_symbols_is_a_sequential_bit_for_bit()
    {
        Symbol x = Model.Input("x", [28, 28, 1]);
        var model = new Model(
            x, new Dense(10).Apply(new Flatten().Apply(new MaxPool2D(2).Apply(new Conv2D(4, 3, Activation.ReLU).Apply(x)))));
        var same = new Sequential(new Conv2D(4, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(), new Dense(10));
        model.Build([28, 28, 1], seed: 7);
        same.Build([28, 28, 1], seed: 7);
        Assert.That(
            model.NamedParameters.Select(named => named.Name), Is.EqualTo(same.NamedParameters.Select(named => named.Name)));
        var input = new float[3 * 784];
        Philox.FillUniform(input, 1, 1);
        using Predictor a = model.CreatePredictor(Device), b = same.CreatePredictor(Device);
        Near.SameBits(b.Predict(input), a.Predict(input));
    }

    [Test]
    public void A_residual_network_of_functional_layers_trains()
    {
        Model model = FunctionalModels.Residual();
        using Trainer trainer = new(model, Device, Loss.SparseCrossEntropy, new Adam(0.01f), seed: 1);
        History history = trainer.Fit(Toy.Points(512), epochs: 15, batchSize: 32);
        Assert.That(history.Epochs[^1].Accuracy, Is.GreaterThan(0.9));
    }

    [Test]
    public void A_layer_applied_twice_is_shared()
    {
        var encoder = new Dense(4, Activation.Tanh) { Name = "encoder" };
        Symbol left = Model.Input("left", [3]), right = Model.Input("right", [3]);
        var model = new Model([left, right], [("both", encoder.Apply(left) * encoder.Apply(right))]);
        model.Build();
        Assert.That(model.NamedParameters.Select(named => named.Name), Is.EqualTo(new[] { "encoder.weight", "encoder.bias" }));
        using Session session = model.CreateSession(Device);
        float[] one = [1, 2, 3], two = [3, -1, 0], forth = new float[4], back = new float[4];
        Run(session, one, two, forth);
        Run(session, two, one, back);
        Assert.That(back, Is.EqualTo(forth));
    }

    [Test]
    public void A_model_is_a_layer_of_other_models()
    {
        Symbol x = Model.Input("x", [6]);
        Symbol a = new Dense(3).Apply(x);
        var split = new Model([x], [("a", a), ("b", new Dense(3).Apply(a))]) { Name = "split" };
        Symbol y = Model.Input("y", [6]);
        Symbol parts = split.Apply(y);
        var model = new Model([y], [("difference", new Dense(1).Apply(Symbol.Concat(parts[0], parts[1])))]);
        model.Build(seed: 2);
        Assert.That(
            model.NamedParameters.Select(named => named.Name),
            Is.EqualTo(new[] { "split.0.weight", "split.0.bias", "split.1.weight", "split.1.bias", "1.weight", "1.bias" }));
        using Predictor predictor = model.CreatePredictor(Device);
        Assert.That(predictor.OutputShape, Is.EqualTo(new Shape(1)));
        Assert.That(() => parts[2], Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void A_recorded_model_gives_its_outputs_by_name()
    {
        Model model = FunctionalModels.TwoByTwo();
        var graph = new Graph(GraphMode.Training);
        IReadOnlyDictionary<string, Value> outputs = model.Apply(new Dictionary<string, Value>
        {
            ["table"] = graph.Input([Dim.Batch, 5]),
            ["image"] = graph.Input([Dim.Batch, 8, 8, 1]),
        });
        Assert.That(
            outputs.ToDictionary(pair => pair.Key, pair => pair.Value.Shape.ToString()),
            Is.EqualTo(new Dictionary<string, string> { ["price"] = "[N, 1]", ["kind"] = "[N, 3]" }));
        Assert.That(
            () => model.Apply(new Dictionary<string, Value> { ["image"] = graph.Input([2]) }),
            Throws.ArgumentException.With.Message.Contains("'image', 'table', got 'image'"));
    }

    [Test]
    public void A_hundred_thousand_symbols_in_a_row_make_a_model()
    {
        Symbol x = Model.Input("x", [2]), y = x;
        for (int i = 0; i < 100_000; i++)
        {
            y += x;
        }

        var model = new Model(x, y);
        model.Build();
        Assert.That(model.NamedParameters, Is.Empty);
    }

    [Test]
    public void What_is_no_model_is_refused_by_name()
    {
        Symbol a = Model.Input("a", [2]), b = Model.Input("b", [2]), sum = a + b;
        Assert.Multiple(() =>
        {
            Assert.That(() => new Model(a, sum), Throws.ArgumentException.With.Message.Contains("need input 'b'"));
            Assert.That(
                () => new Model([a, b, a], [("y", sum)]),
                Throws.ArgumentException.With.Message.Contains("two inputs are named 'a'"));
            Assert.That(
                () => new Model([a, b], [("y", sum), ("y", a)]),
                Throws.ArgumentException.With.Message.Contains("two outputs are named 'y'"));
            Assert.That(() => new Model([a, b], []), Throws.ArgumentException.With.Message.Contains("at least one"));
            Assert.That(() => new Model([sum], [("y", sum)]), Throws.ArgumentException.With.Message.Contains("what a Add gives"));
            Assert.That(() => Model.Input("a", [2, 0]), Throws.TypeOf<ShapeException>().With.Message.Contains("'a'"));
            Assert.That(
                () => new Dense(2).Apply(a, b), Throws.ArgumentException.With.Message.Contains("expected one input, got 2"));
            Assert.That(
                () => new Model([a, b], [("y", sum)]).Build([2]),
                Throws.TypeOf<ShapeException>().With.Message.Contains("'a' [2], 'b' [2]"));
            Assert.That(
                () => new Model([a, b], [("y", new Dense(2) { Name = "d" }.Apply(a) + new Dense(2) { Name = "d" }.Apply(b))]),
                Throws.ArgumentException.With.Message.Contains("'d'"));
        });
    }

    [Test]
    public void An_input_of_another_shape_is_told_by_name()
    {
        Model model = FunctionalModels.TwoByTwo();
        model.Build();
        var graph = new Graph(GraphMode.Inference);
        Assert.That(
            () => model.Apply(graph.Input([2, 8, 8, 1]), graph.Input([2, 6])),
            Throws.TypeOf<ShapeException>().With.Message.Contains("expected Float32[N, 5] for input 'table', got Float32[2, 6]"));
    }

    private static void Run(Session session, ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> both)
    {
        using SessionRun run = session.Begin([1, 3], [1, 3]);
        run.Write("left", left);
        run.Write("right", right);
        run.Compute();
        run.Read("both", both);
    }
}
