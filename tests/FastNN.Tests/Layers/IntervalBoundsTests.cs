using FastNN.Tensors;
using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>Bounds of a network's output between bounds of its input.</summary>
internal sealed class IntervalBoundsTests : TrainingFixture
{
    [Test]
    public void A_dense_layer_has_its_exact_bounds()
    {
        var dense = new Dense(2, Activation.ReLU);
        dense.Build([2], seed: 1);
        dense.Weight!.Write([1, 3, -2, 1]);
        dense.Bias!.Write([0.5f, -5]);
        (float[] low, float[] high) = Bounds(dense, [2], [0, -1], [1, 1], classes: 2);

        // x0 - 2 x1 + 0.5 is from -1.5 to 3.5, and 3 x0 + x1 - 5 is from -6 to -1; ReLU follows.
        Assert.That(low, Is.EqualTo(new[] { 0f, 0 }).Within(1e-6f));
        Assert.That(high, Is.EqualTo(new[] { 3.5f, 0 }).Within(1e-6f));
    }

    [Test]
    public void All_inputs_in_between_stay_within_the_bounds_of_a_network()
    {
        const int Size = 8 * 8 * 2, Classes = 5, Points = 200;
        Sequential model = Network();
        var draws = new float[(Points + 2) * Size];
        Philox.FillUniform(draws, 4, Philox.Stream(RandomUse.Data));
        float[] low = draws[..Size], high = [.. low.Select((value, i) => value + (0.3f * draws[Size + i]))];
        (float[] least, float[] greatest) = Bounds(model, [8, 8, 2], low, high, Classes);
        var inside = new float[Points * Size];
        for (int i = 0; i < inside.Length; i++)
        {
            // Most of them at corners of the box, where outputs are extreme.
            float share = i / Size % 4 == 0 ? draws[(2 * Size) + i] : MathF.Round(draws[(2 * Size) + i]);
            inside[i] = low[i % Size] + (share * (high[i % Size] - low[i % Size]));
        }

        using Predictor predictor = model.CreatePredictor(Device);
        float[] outputs = predictor.Predict(inside);
        for (int i = 0; i < outputs.Length; i++)
        {
            Assert.That(outputs[i], Is.InRange(least[i % Classes] - 1e-4f, greatest[i % Classes] + 1e-4f));
        }
    }

    [Test]
    public void A_box_without_width_gives_the_output_itself()
    {
        Sequential model = Network();
        var x = new float[8 * 8 * 2];
        Philox.FillUniform(x, 5, Philox.Stream(RandomUse.Data));
        (float[] low, float[] high) = Bounds(model, [8, 8, 2], x, x, classes: 5);
        using Predictor predictor = model.CreatePredictor(Device);
        float[] expected = predictor.Predict(x);
        Assert.That(low, Is.EqualTo(expected).Within(1e-5f));
        Assert.That(high, Is.EqualTo(expected).Within(1e-5f));
    }

    [Test]
    public void The_worst_outputs_are_the_true_class_s_lower_and_the_others_upper_bounds()
    {
        var graph = new Graph(GraphMode.Inference);
        Value low = graph.Input([Dim.Batch, 3], name: "low"), high = graph.Input([Dim.Batch, 3], name: "high");
        Value labels = graph.Input([Dim.Batch], DType.Int32, "labels");
        using Session session = graph.Compile(Device, [("worst", IntervalBounds.Worst(low, high, labels))]);
        using SessionRun run = session.Begin([2, 3], [2, 3], [2]);
        run.Write<float>("low", [1, 2, 3, -1, -2, -3]);
        run.Write<float>("high", [4, 5, 6, 1, 2, 3]);
        run.Write<int>("labels", [1, 2]);
        run.Compute();
        var worst = new float[6];
        run.Read<float>("worst", worst);
        Assert.That(worst, Is.EqualTo(new float[] { 4, 2, 6, 1, 2, -3 }));
    }

    [Test]
    public void What_nothing_is_known_of_is_refused()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 4], name: "x"), wide = graph.Input([Dim.Batch, 5], name: "wide");
        Assert.That(
            () => IntervalBounds.Propagate(new LayerNorm(), x, x),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("got LayerNorm"));
        Assert.That(
            () => IntervalBounds.Propagate(new ActivationLayer(Activation.Gelu), x, x),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("never falls").And.Message.Contains("Gelu"));
        Assert.That(
            () => IntervalBounds.Propagate(new Dense(3), x, x),
            Throws.InvalidOperationException.With.Message.Contains("Dense is not built"));
        Assert.That(
            () => IntervalBounds.Propagate(new Flatten(), x, wide),
            Throws.TypeOf<ShapeException>().With.Message.Contains("bounds of one shape"));
    }

    [Test]
    public void Every_function_that_is_said_never_to_fall_never_does()
    {
        foreach (Activation activation in (Activation[])
        [
            Activation.ReLU, Activation.ReLU6, Activation.Sigmoid, Activation.Tanh, Activation.Softplus(), Activation.Softsign,
            Activation.LogSigmoid, Activation.HardSigmoid(), Activation.HardTanh(), Activation.Selu,
        ])
        {
            var layer = new ActivationLayer(activation);
            float[] x = [.. Enumerable.Range(-80, 161).Select(i => i / 10f)];
            (float[] low, float[] high) = Bounds(layer, [160], x[..160], x[1..], classes: 160);
            Assert.That(low.Zip(high).All(pair => pair.First <= pair.Second), activation.Name);
        }
    }

    private static Sequential Network()
    {
        var model = new Sequential(
            new Conv2D(4, 3, Activation.ReLU) { Padding = 1 }, new MaxPool2D(2), new Conv2D(6, 3, Activation.Tanh) { Stride = 2 },
            new Flatten(), new Dense(12), new ActivationLayer(Activation.Sigmoid), new Dense(5));
        model.Build([8, 8, 2], seed: 3);
        return model;
    }

    private (float[] Low, float[] High) Bounds(Layer layer, Shape example, float[] low, float[] high, int classes)
    {
        var graph = new Graph(GraphMode.Inference);
        Value from = graph.Input(example.Prepend(Dim.Batch), name: "from");
        Value to = graph.Input(example.Prepend(Dim.Batch), name: "to");
        (Value least, Value greatest) = IntervalBounds.Propagate(layer, from, to);
        using Session session = graph.Compile(Device, [("low", least), ("high", greatest)]);
        using SessionRun run = session.Begin(example.Prepend(1), example.Prepend(1));
        run.Write<float>("from", low);
        run.Write<float>("to", high);
        run.Compute();
        float[] lows = new float[classes], highs = new float[classes];
        run.Read<float>("low", lows);
        run.Read<float>("high", highs);
        return (lows, highs);
    }
}
