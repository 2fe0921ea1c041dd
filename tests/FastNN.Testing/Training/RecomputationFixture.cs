using FastNN.Data;

namespace FastNN.Testing;

/// <summary>Segments whose activations are computed again (<see cref="Checkpoint"/>): the same bits in less memory.</summary>
internal abstract class RecomputationFixture
{
    protected abstract Device Open();

    [Test]
    public void Every_bit_of_training_is_that_of_a_network_without([Values] bool convolutional, [Values(1, 3)] int accumulate)
    {
        float[] Train(bool checkpoint)
        {
            using Device device = Open();
            using Trainer trainer = Create(device, checkpoint, convolutional);
            trainer.Fit(Data(convolutional), 2, 8, accumulate: accumulate);
            return [.. Toy.Parameters(trainer.Model), .. trainer.Predict(Data(convolutional))];
        }

        Near.SameBits([Train(false)], [Train(true)]);
    }

    [Test]
    public void The_planners_peak_falls()
    {
        using Device device = Open();
        using Trainer with = Deep(true), without = Deep(false);
        MemoryPlan less = with.PlanMemory(64), more = without.PlanMemory(64);
        Assert.That(less.PeakBytes, Is.LessThan(0.6 * more.PeakBytes));
        Assert.That(
            with.PlanMemory(64, GraphMode.Inference).PeakBytes, Is.EqualTo(without.PlanMemory(64,
                GraphMode.Inference).PeakBytes));

        Trainer Deep(bool checkpoint)
        {
            Layer Segment() => Chain(
                checkpoint, [.. Enumerable.Range(0, 8).SelectMany(_ => new Layer[] { new Dense(256),
                    new ActivationLayer(Activation.Gelu) })]);
            var model = new Sequential(Segment(), Segment(), Segment(), Segment(), new Dense(4));
            model.Build(new Shape(256));
            return new Trainer(model, device, Loss.SparseCrossEntropy, new Sgd());
        }
    }

    [Test]
    public void A_segment_within_a_segment_and_one_around_everything_are_right()
    {
        float[] Train(bool checkpoint)
        {
            Layer inner = Chain(checkpoint, new Dense(8, Activation.Tanh), new Dropout(0.25f));
            var model = new Sequential(Chain(checkpoint, new Dense(8, Activation.Gelu), inner, new Dense(Toy.Classes)));
            model.Build(new Shape(2), seed: 3);
            using Device device = Open();
            using Trainer trainer = Toy.Trainer(device, model);
            trainer.Fit(Toy.Points(40), 2, 16);
            return Toy.Parameters(model);
        }

        Near.SameBits([Train(false)], [Train(true)]);
    }

    [Test]
    public void A_segment_of_values_is_recorded_by_a_function()
    {
        float[][] Run(bool recomputed)
        {
            var graph = new Graph(GraphMode.Training);
            Value x = graph.Input(new Shape(5, 7)), weight = graph.Input(new Shape(7, 7));
            Value Segment() => (x.MatMul(weight).Tanh().MatMul(weight).Sigmoid() * x).Softmax();
            Value y = (recomputed ? graph.Recomputed(Segment) : Segment()).Square().Sum();
            using Device device = Open();
            using var run = new GraphRun(device.Implementation, graph, [y], y, [x, weight]);
            run.SetNumbers(x, OpInput.Uniform("x", x.Shape).Values(1));
            run.SetNumbers(weight, OpInput.Uniform("weight", weight.Shape).Values(2));
            run.Run();
            return [run.Read(y), run.Gradient(x), run.Gradient(weight)];
        }

        Near.SameBits(Run(false), Run(true));
    }

    private static Layer Chain(bool checkpoint, params Layer[] layers) =>
        checkpoint ? new Checkpoint(layers) : new Sequential(layers);

    protected static Trainer Create(Device device, bool checkpoint, bool convolutional)
    {
        Sequential model = convolutional
            ? new Sequential(
                Chain(checkpoint, new Conv2D(4, 3, Activation.ReLU), new BatchNorm2D(), new MaxPool2D(2)),
                Chain(checkpoint, new Conv2D(5, 3), new ActivationLayer(Activation.SiLU), new Dropout(0.25f)), new Flatten(),
                new Dense(Toy.Classes))
            : new Sequential(
                Chain(checkpoint, new Dense(16, Activation.ReLU), new LayerNorm(), new Dropout(0.25f)),
                Chain(checkpoint, new Dense(16), new ActivationLayer(Activation.Gelu)), new Dense(Toy.Classes));
        model.Build(convolutional ? new Shape(12, 12, 2) : new Shape(2), seed: 5);
        return new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.01f), seed: 5);
    }

    protected static Dataset Data(bool convolutional)
    {
        if (!convolutional)
        {
            return Toy.Points(44);
        }

        var random = new Random(4);
        return Dataset.FromFloats(
            [.. Enumerable.Range(0, 20 * 288).Select(_ => (float)random.NextDouble())], [12, 12, 2],
            [.. Enumerable.Range(0, 20).Select(i => i % Toy.Classes)], Toy.Classes);
    }
}
