namespace FastNN.Users.Tests;

internal sealed class OptimizerTests(string kind) : UserFixture(kind)
{
    [TestCase(0f)]
    [TestCase(0.1f)]
    public void Lion_follows_its_definition_in_double(float decay)
    {
        // A linear model whose gradient is known: loss = mean (w x + b - t)^2.
        float[] x = Numbers(8, 1), t = [.. x.Select(value => (2 * value) + 1)];
        var model = new Sequential(new Dense(1) { Name = "line" });
        model.Build(new Shape(1), 3);
        float[] first = ParametersOf(model);
        double[] p = [first[0], first[1]], m = [0, 0];
        var optimizer = new Lion(weightDecay: decay) { Schedule = Schedule.Linear(0.05f, 20, 0.01f) };
        using var trainer = new Trainer(model, Device, Loss.MeanSquaredError, optimizer);
        for (int step = 0; step < 12; step++)
        {
            trainer.TrainBatch(x, t);
            double[] g = [0, 0];
            for (int i = 0; i < x.Length; i++)
            {
                double error = (p[0] * x[i]) + p[1] - t[i];
                g[0] += 2 * error * x[i] / x.Length;
                g[1] += 2 * error / x.Length;
            }

            for (int i = 0; i < 2; i++)
            {
                double direction = Math.Sign((0.9f * m[i]) + ((1 - 0.9f) * g[i]));
                p[i] -= optimizer.LearningRate * (direction + (decay * p[i]));
                m[i] = (0.99f * m[i]) + ((1 - 0.99f) * g[i]);
            }

            Assert.That(ParametersOf(model), Is.EqualTo(new[] { (float)p[0], (float)p[1] }).Within(1e-5f), $"step {step}");
        }
    }

    /// <summary>An element-wise update is recorded for pieces of 2^20 numbers; these are one and a part.</summary>
    [Test]
    public void An_update_in_pieces_reaches_every_number()
    {
        const int Inputs = 1024, Units = 1030;
        var model = new Sequential(new Dense(Units) { Name = "wide" });
        model.Build(new Shape(Inputs), 5);
        float[] x = Numbers(2 * Inputs, 6), t = Numbers(2 * Units, 7), expected = ParametersOf(model),
        momentum = new float[expected.Length];
        Assert.That(expected, Has.Length.GreaterThan(1 << 20));
        using var trainer = new Trainer(model, Device, Loss.MeanSquaredError, new Lion(0.01f));
        for (int step = 0; step < 2; step++)
        {
            trainer.Forward(x, t);
            trainer.Backward();
            float[] gradients = [.. model.Parameters.SelectMany(parameter =>
            {
                var values = new float[parameter.Count];
                trainer.ReadGradient(parameter, values);
                return values;
            })];
            trainer.Update();
            for (int i = 0; i < expected.Length; i++)
            {
                expected[i] -= 0.01f * Math.Sign((0.9f * momentum[i]) + ((1 - 0.9f) * gradients[i]));
                momentum[i] = (0.99f * momentum[i]) + ((1 - 0.99f) * gradients[i]);
            }

            float[] found = ParametersOf(model);
            int wrong = Enumerable.Range(0, found.Length).FirstOrDefault(i => !(Math.Abs(found[i] - expected[i]) <= 1e-6f), -1);
            Assert.That(wrong, Is.EqualTo(-1), $"step {step}: a parameter's place");
        }
    }

    [Test]
    public void Groups_clipping_the_guard_and_checkpoints_are_those_of_every_optimizer()
    {
        string path = Path.GetTempFileName();
        float[] x = Numbers(12, 2), t = Numbers(6, 3);
        Sequential Built()
        {
            var model = new Sequential(new Dense(5, Activation.Tanh) { Name = "hidden" }, new Dense(1) { Name = "out" });
            model.Build(new Shape(2), 7);
            return model;
        }

        Lion Optimizer() => new(0.01f)
        {
            ClipNorm = 0.5f,
            Groups = [new ParameterGroup(parameter => parameter.Name == "bias") { LearningRateScale = 0 }],
        };

        Sequential model = Built();
        using var trainer = new Trainer(model, Device, Loss.MeanSquaredError, Optimizer());
        float[] before = ParametersOf(model);
        for (int i = 0; i < 4; i++)
        {
            trainer.TrainBatch(x, t);
        }

        float[] after = ParametersOf(model);
        Assert.That(after[10..15], Is.EqualTo(before[10..15]), "the group of biases has a learning rate of 0");
        Assert.That(after[..10], Is.Not.EqualTo(before[..10]));
        Assert.That(() => trainer.TrainBatch(x, [.. t.Select(_ => 1e30f)]), Throws.TypeOf<NonFiniteLossException>());
        Assert.That(ParametersOf(model), Is.EqualTo(after));
        trainer.SaveCheckpoint(path);
        trainer.TrainBatch(x, t);
        float[] expected = ParametersOf(model);
        Sequential other = Built();
        using var resumed = new Trainer(other, Device, Loss.MeanSquaredError, Optimizer());
        resumed.LoadCheckpoint(path);
        resumed.TrainBatch(x, t);
        Assert.That(ParametersOf(other), Is.EqualTo(expected), "momentum and all");
        File.Delete(path);
    }

    [Test]
    public void An_update_that_needs_whole_parameters_gets_them_one_by_one()
    {
        // Each parameter moves by a tenth of its own norm, against its gradient.
        var model = new Sequential(new Dense(3) { Name = "line" });
        model.Build(new Shape(2), 5);
        model.Parameters[1].Write([3, 0, 4]);
        using var trainer = new Trainer(model, Device, Loss.MeanSquaredError, new NormStep());
        trainer.TrainBatch([1f, 2f], [10f, 10f, 10f]);
        var bias = new float[3];
        model.Parameters[1].Read(bias);
        double[] moved = [bias[0] - 3, bias[1], bias[2] - 4];
        Assert.That(Math.Sqrt(moved.Sum(value => value * value)), Is.EqualTo(0.5).Within(1e-5));
    }

    [Test]
    public void Mistakes_in_an_update_are_named()
    {
        Assert.Multiple(() =>
        {
            Assert.That(
                () => Train(new Broken(_ => { })),
                Throws.InvalidOperationException.With.Message.Contains("Broken").And.Message.Contains("SetParameter"));
            Assert.That(
                () => Train(new Broken(update => update.SetParameter(update.Gradient.Sum()))),
                Throws.TypeOf<ShapeException>().With.Message.Contains("Broken"));
            Assert.That(
                () => Train(new Broken(update => update.State("velocity"))),
                Throws.ArgumentException.With.Message.Contains("velocity").And.Message.Contains("a, b"));
        });
    }

    [Test]
    public void States_may_take_each_others_values()
    {
        // b is what a was; a is the step before last: p counts 1, 1, 2, 3.
        var model = new Sequential(new Dense(1) { Name = "line", UseBias = false });
        model.Build(new Shape(1), 5);
        model.Parameters[0].Write([1]);
        using var trainer = new Trainer(model, Device, Loss.MeanSquaredError, new Broken(update =>
        {
            update.SetParameter(update.Parameter + update.State("a"));
            update.SetState("a", update.Parameter);
            update.SetState("b", update.State("a"));
        }));
        foreach (float expected in (float[])[1, 2, 3, 5, 8])
        {
            trainer.TrainBatch([1f], [0f]);
            Assert.That(ParametersOf(model)[0], Is.EqualTo(expected));
        }
    }

    private void Train(Optimizer optimizer)
    {
        var model = new Sequential(new Dense(1) { Name = "line" });
        model.Build(new Shape(1));
        using var trainer = new Trainer(model, Device, Loss.MeanSquaredError, optimizer);
        trainer.TrainBatch([1f], [0f]);
    }

    /// <summary>Lion (Chen et al., 2023).</summary>
    public sealed class Lion(float learningRate = 1e-4f, float beta1 = 0.9f, float beta2 = 0.99f, float weightDecay = 0)
        : CustomOptimizer(learningRate, weightDecay)
    {
        public override string Name => "Lion";

        protected override IReadOnlyList<string> States => ["momentum"];

        protected override void Record(UpdateRecording update)
        {
            Value m = update.State("momentum"), g = update.Gradient, p = update.Parameter;
            Value direction = ((beta1 * m) + ((1 - beta1) * g)).Sign();
            update.SetParameter(p - (update.LearningRate * (direction + (update.WeightDecay * p))));
            update.SetState("momentum", (beta2 * m) + ((1 - beta2) * g));
        }
    }

    private sealed class NormStep() : CustomOptimizer(0.1f)
    {
        public override string Name => "NormStep";

        protected override IReadOnlyList<string> States => [];

        protected override bool IsElementwise => false;

        protected override void Record(UpdateRecording update)
        {
            Value scale = update.Parameter.Norm() / update.Gradient.Norm();
            update.SetParameter(update.Parameter - (update.LearningRate * scale * update.Gradient));
        }
    }

    private sealed class Broken(Action<UpdateRecording> record) : CustomOptimizer(0.1f)
    {
        public override string Name => "Broken";

        protected override IReadOnlyList<string> States => ["a", "b"];

        protected override void Record(UpdateRecording update) => record(update);
    }
}
