namespace FastNN.Tests.Graphs;

/// <summary>Operators with numbers on either side, and losses that users and the library record with them.</summary>
internal sealed class ArithmeticTests : DeviceFixture
{
    private static readonly float[] Values = [-3, -0.5f, 0.25f, 2];

    [Test]
    public void A_number_may_stand_on_either_side_of_every_operator()
    {
        Func<Value, Value>[] recorded =
        [
            x => -x, x => x + 2, x => 2 + x, x => x - 2, x => 2 - x, x => x * 3, x => 3 * x, x => x / 4, x => 4 / x,
            x => x - (x * x), x => x / (2 + (x * x)),
        ];
        Func<float, float>[] expected =
        [
            x => -x, x => x + 2, x => 2 + x, x => x - 2, x => 2 - x, x => x * 3, x => 3 * x, x => x / 4, x => 4 / x,
            x => x - (x * x), x => x / (2 + (x * x)),
        ];
        for (int i = 0; i < recorded.Length; i++)
        {
            var graph = new Graph(GraphMode.Inference);
            Value x = graph.Input([4]);
            Value y = recorded[i](x);
            using var run = new GraphRun(One, graph, [y], null, []);
            run.Set(x, Values);
            run.Upload();
            run.Forward();
            Assert.That(run.Read(y), Is.EqualTo(Values.Select(expected[i])).Within(1e-6f), $"case {i}");
        }
    }

    [Test]
    public void A_recorded_loss_trains_like_the_built_in_one()
    {
        using var device = Device.Cpu(1);
        float builtIn = LossOfSteps(device, Loss.MeanSquaredError);
        float recorded = LossOfSteps(device, Loss.From("Squares", (output, target) => (output - target).Square().Mean()));
        Assert.That(recorded, Is.EqualTo(builtIn).Within(1e-6f));
    }

    [Test]
    public void Arguments_of_losses_are_checked()
    {
        Assert.That(() => new HuberLoss(0), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("delta"));
        Assert.That(
            () => new SmoothL1Loss(float.NaN), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("beta"));
        var graph = new Graph(GraphMode.Training);
        Assert.That(
            () => Loss.Huber.Apply(graph.Input([4]), graph.Input([5])),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Huber").And.Message.Contains("Float32[5]"));
    }

    private static float LossOfSteps(Device device, Loss loss)
    {
        var model = new Sequential(new Dense(3, Activation.Tanh), new Dense(1));
        model.Build([2], seed: 4);
        using var trainer = new Trainer(model, device, loss, new Sgd(0.1f));
        float last = 0;
        for (int step = 0; step < 5; step++)
        {
            last = trainer.TrainBatch([0.5f, 1, -1, 0.25f], [0.75f, -0.5f]);
        }

        return last;
    }
}
