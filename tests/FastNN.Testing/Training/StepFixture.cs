using FastNN.Tensors;

namespace FastNN.Testing;

/// <summary>
/// Training steps on a device: freezing, guards, clipping, accumulation, buffers, groups, and several steps over one set of
/// parameters.
/// </summary>
internal abstract class StepFixture
{
    private static readonly float[] X = [0.5f, 0.5f, -0.5f, 0.5f, 0.25f, -0.75f];
    private static readonly int[] Labels = [3, 2, 1];

    protected abstract Device Open();

    [Test]
    public void Freezing_and_unfreezing_between_steps_holds_from_the_next_step_on()
    {
        Sequential model = Toy.Built();
        using Device device = Open();
        using Trainer trainer = Toy.Trainer(device, model);
        Layer hidden = model.Layers[0];
        hidden.IsTrainable = false;
        float[] Hidden() => Toy.Parameters(model)[..48];
        float[] first = Hidden();
        Steps(trainer, 4);
        Near.SameBits(first, Hidden());
        hidden.IsTrainable = true;
        Steps(trainer, 4);
        float[] trained = Hidden();
        Assert.That(trained, Is.Not.EqualTo(first), "unfrozen, it trains");
        hidden.IsTrainable = false;
        float[] logits = Toy.Parameters(model)[48..];
        Steps(trainer, 4);
        trainer.TrainBatch(X.AsSpan(0, 4), Labels.AsSpan(0, 2));
        Near.SameBits(trained, Hidden());
        Assert.That(Toy.Parameters(model)[48..], Is.Not.EqualTo(logits));
        Assert.That(
            () => trainer.ReadGradient(hidden.Parameters[0], new float[32]),
            Throws.InvalidOperationException.With.Message.Contains("frozen"));
    }

    [Test]
    public void A_checkpoint_of_a_run_that_unfroze_a_layer_reads_only_what_is_its_own()
    {
        string path = Path.GetTempFileName();
        var model = new Sequential(new Dense(64) { Name = "body" }, new Dense(Toy.Classes) { Name = "head" });
        model.Build(new Shape(2), 5);
        using Device device = Open();
        using Trainer trainer = Toy.Trainer(device, model);
        model.Layers[0].IsTrainable = false;
        Steps(trainer, 2);
        trainer.SaveCheckpoint(path);
        model.Layers[0].IsTrainable = true;
        trainer.SaveCheckpoint(path);
        Steps(trainer, 2);
        trainer.SaveCheckpoint(path);
        trainer.LoadCheckpoint(path);
        Assert.That(float.IsFinite(trainer.TrainBatch(X, Labels)));
        File.Delete(path);
    }

    [Test]
    public void Gradients_that_are_not_finite_change_nothing_and_are_named([Values(1, 3, 5)] int step)
    {
        // The loss is (0.3 x)^2, its gradient 0.6 x^2: of 3e19 the first is finite, the second is not.
        Sequential model = new(new Dense(1) { Name = "line" }), other = new(new Dense(1) { Name = "line" });
        foreach (Sequential line in (Sequential[])[model, other])
        {
            line.Build(new Shape(1));
            line.Parameters[0].Write([0.3f]);
        }

        using Device device = Open();
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Adam(1e-4f));
        using var undisturbed = new Trainer(other, device, Loss.MeanSquaredError, new Adam(1e-4f));
        for (int i = 1; i < step; i++)
        {
            Assert.That(trainer.TrainBatch([1f], [0f]), Is.EqualTo(undisturbed.TrainBatch([1f], [0f])));
        }

        float[] before = Toy.Parameters(model);
        Assert.That(
            () => trainer.TrainBatch([3e19f], [0f]),
            Throws.TypeOf<NonFiniteLossException>().With.Message.Contains("gradient").And.Message.Contains(
                "weight").And.Message.Contains($"step {step}"));
        Near.SameBits(before, Toy.Parameters(model));
        Assert.That(trainer.StepCount, Is.EqualTo(step - 1));
        for (int i = 0; i < 3; i++)
        {
            Assert.That(trainer.TrainBatch([1f], [0f]), Is.EqualTo(undisturbed.TrainBatch([1f], [0f])));
        }

        Near.SameBits(Toy.Parameters(other), Toy.Parameters(model));
    }

    [Test]
    public void An_update_behind_a_loss_that_is_not_finite_fails_and_does_not_count()
    {
        Sequential model = Toy.Built();
        using Device device = Open();
        using Trainer trainer = Toy.Trainer(device, model);
        float[] before = Toy.Parameters(model);
        Assert.That(trainer.Forward([float.NaN, 0], [1]), Is.NaN);
        trainer.Backward();
        Assert.That(trainer.Update, Throws.TypeOf<NonFiniteLossException>());
        Assert.That(trainer.StepCount, Is.Zero);
        Near.SameBits(before, Toy.Parameters(model));
    }

    [Test]
    public void Clipping_by_norm_scales_all_gradients_alike()
    {
        using Device device = Open();
        (float[] plain, float[] first) = Moved(device, new Sgd(1));
        double norm = Math.Sqrt(plain.Sum(move => (double)move * move));
        (float[] clipped, _) = Moved(device, new Sgd(1) { ClipNorm = (float)(norm / 4) });
        Near.Check("a quarter of each", clipped, Array.ConvertAll(plain, move => move / 4.0), 1e-5);
        (float[] cut, _) = Moved(device, new Sgd(1) { ClipValue = 0.01f });
        Near.Check("cut", cut, Array.ConvertAll(plain, move => Math.Clamp((double)move, -0.01, 0.01)), 1e-5);
        Assert.That(first, Has.Length.EqualTo(plain.Length));
    }

    [Test]
    public void Gradients_of_several_batches_add_up_to_those_of_one()
    {
        using Device device = Open();
        Sequential whole = Toy.Built(), parts = Toy.Built();
        using Trainer one = Toy.Trainer(device, whole, new Sgd(0.5f)), two = Toy.Trainer(device, parts, new Sgd(0.5f));
        for (int i = 0; i < 4; i++)
        {
            one.TrainBatch([.. X, .. X[..2]], [3, 2, 1, 0]);
            two.Forward(X.AsSpan(0, 4), [3, 2]);
            two.Backward(accumulate: true);
            two.Forward([.. X[4..], .. X[..2]], [1, 0]);
            two.Backward(accumulate: true);
            two.ScaleGradients(0.5f);
            two.Update();
        }

        Near.Check("parameters", Toy.Parameters(parts), Array.ConvertAll(Toy.Parameters(whole), value => (double)value), 1e-5);
        Assert.That(two.StepCount, Is.EqualTo(4));
    }

    [Test]
    public void Gradients_can_be_written()
    {
        using Device device = Open();
        Sequential model = Toy.Built();
        using Trainer trainer = Toy.Trainer(device, model, new Sgd(1));
        Parameter bias = model.Parameters[^1];
        var before = new float[4];
        bias.Read(before);
        trainer.Forward(X, Labels);
        trainer.Backward();
        trainer.WriteGradient(bias, [1, 2, 3, 4]);
        trainer.Update();
        var after = new float[4];
        bias.Read(after);
        Assert.That(after, Is.EqualTo(before.Select((value, i) => value - (i + 1))).Within(1e-6f));
    }

    [Test]
    public void The_gradient_of_inputs_is_that_of_differences()
    {
        using Device device = Open();
        Sequential model = Toy.Built(dropout: 0.5f);
        using Trainer trainer = Toy.Trainer(device, model);
        var gradient = new float[X.Length];
        float loss = trainer.InputGradient(X, Labels, gradient);
        for (int i = 0; i < X.Length; i++)
        {
            float[] more = [.. X], less = [.. X];
            more[i] += 1e-2f;
            less[i] -= 1e-2f;
            var unused = new float[X.Length];
            double difference = ((double)trainer.InputGradient(more, Labels, unused) - trainer.InputGradient(
                less, Labels, unused)) / 2e-2;
            Assert.That(gradient[i], Is.EqualTo(difference).Within(2e-3), $"input {i}, loss {loss}");
        }

        Assert.That(trainer.StepCount, Is.Zero);
    }

    /// <summary>
    /// In inference these layers would be joined to operators without a backward pass, or with one that is not theirs.
    /// </summary>
    [Test]
    public void The_gradient_of_inputs_goes_through_what_inference_joins()
    {
        using Device device = Open();
        var model = new Sequential(
            new Conv2D(4, 3) { Padding = 1 }, new MaxPool2D(2), new DepthwiseConv2D(3) { Padding = 1 }, new Flatten(),
            new Dense(5), new ActivationLayer(Activation.Gelu), new Dense(2));
        model.Build(new Shape(6, 6, 2), seed: 4);
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Sgd(0.1f));
        var x = new float[72];
        Philox.FillNormal(x, 6, Philox.Stream(RandomUse.Data));
        float[] gradient = new float[x.Length], unused = new float[x.Length];
        trainer.InputGradient(x, [1], gradient);
        for (int i = 0; i < x.Length; i++)
        {
            float[] more = [.. x], less = [.. x];
            more[i] += 1e-3f;
            less[i] -= 1e-3f;
            double difference = ((double)trainer.InputGradient(more, [1], unused) - trainer.InputGradient(less, [1], unused))
                / 2e-3;
            Assert.That(gradient[i], Is.EqualTo(difference).Within(2e-3), $"input {i}");
        }
    }

    [Test]
    public void Groups_have_learning_rates_and_weight_decay_of_their_own()
    {
        using Device device = Open();
        Sequential model = Toy.Built();
        float[] before = Toy.Parameters(model);
        var still =
            new ParameterGroup(parameter => parameter.Name.EndsWith("bias", StringComparison.Ordinal)) { LearningRateScale = 0 };
        using (Trainer trainer = Toy.Trainer(device, model, new Adam(0.01f) { Groups = [still] }))
        {
            Steps(trainer, 4);
        }

        float[] after = Toy.Parameters(model);
        Assert.That(after[32..48], Is.EqualTo(before[32..48]), "hidden.bias");
        Assert.That(after[112..], Is.EqualTo(before[112..]), "logits.bias");
        Assert.That(after[..32], Is.Not.EqualTo(before[..32]));
    }

    [Test]
    public void Buffers_are_written_back_saved_restored_and_guarded()
    {
        string path = Path.GetTempFileName();
        using Device device = Open();
        var model = new Sequential(new Smoothed { Name = "smooth" }, new Dense(Toy.Classes) { Name = "logits" });
        model.Build(new Shape(2), 5);
        Parameter buffer = model.Buffers.Single();
        Assert.That(model.Parameters, Does.Not.Contain(buffer));
        Assert.That(() => buffer.IsTrainable = true, Throws.InvalidOperationException.With.Message.Contains("buffer"));
        using Trainer trainer = Toy.Trainer(device, model);
        var values = new float[2];
        for (int i = 1; i <= 4; i++)
        {
            trainer.TrainBatch([1f, 2f, 1f, 2f], [0, 1]);
            buffer.Read(values);
            Assert.That(
                values, Is.EqualTo(new[] { 1 - MathF.Pow(0.5f, i), 2 - (2 * MathF.Pow(0.5f, i)) }).Within(1e-6f),
                "half way at each step");
        }

        float[] kept = [.. values];
        Assert.That(() => trainer.TrainBatch([float.NaN, 1f], [0]), Throws.TypeOf<NonFiniteLossException>());
        buffer.Read(values);
        Near.SameBits(kept, values);
        trainer.SaveCheckpoint(path);
        trainer.TrainBatch([9f, 9f], [0]);
        trainer.LoadCheckpoint(path);
        buffer.Read(values);
        Near.SameBits(kept, values);
        File.Delete(path);
    }

    [Test]
    public void Two_adversaries_take_turns_over_one_set_of_parameters()
    {
        using Device device = Open();
        Sequential generator = new(new Dense(8, Activation.ReLU) { Name = "a" }, new Dense(1) { Name = "b" }), judge = new(
            new Dense(8, Activation.ReLU) { Name = "a" }, new Dense(1) { Name = "b" });
        generator.Build(new Shape(2), 1);
        judge.Build(new Shape(1), 2);
        float[] Noise(int step) => [.. Enumerable.Range(0, 16).Select(i => MathF.Sin((i * 7) + step))];
        float[] real = [.. Enumerable.Range(0, 8).Select(i => 3 + (0.1f * MathF.Cos(i)))];
        float first = 0, nearest = float.MaxValue;
        using (var weights = new DeviceWeights(device, generator, judge))
        using (var judging = new TrainingStep(weights, step =>
        {
            Value Judge(Value x, float truth, string name)
            {
                Value y = judge.Apply(x);
                step.Loss(name, Loss.BinaryCrossEntropyWithLogits.Apply(y, step.Input($"{name} target", [Dim.Batch, 1])));
                return y;
            }

            Value noise = step.Input("noise", [Dim.Batch, 2]);
            Judge(step.Input("real", [Dim.Batch, 1]), 1, "is real");
            Judge(generator.Apply(noise), 0, "is made");
        }, [(new Adam(0.01f), judge.Parameters)]))
        using (var making = new TrainingStep(weights, step =>
        {
            Value made = generator.Apply(step.Input("noise", [Dim.Batch, 2]));
            step.Output("made", made);
            step.Loss("fooled", Loss.BinaryCrossEntropyWithLogits.Apply(judge.Apply(made), step.Input("target", [Dim.Batch, 1])));
        }, [(new Adam(0.01f), generator.Parameters)]))
        {
            float[] ones = [.. Enumerable.Repeat(1f, 8)], zeros = new float[8], made = new float[8];
            judging.Begin([8, 2], [8, 1]);
            making.Begin([8, 2]);
            for (int i = 0; i < 400; i++)
            {
                float[] held = Toy.Parameters(generator);
                judging.Write("noise", Noise(i));
                judging.Write("real", real);
                judging.Write("is real target", ones);
                judging.Write("is made target", zeros);
                float judged = judging.Run();
                Assert.That(judged, Is.EqualTo(judging.ReadLoss("is real") + judging.ReadLoss("is made")).Within(1e-5f));
                if (i < 3)
                {
                    Near.SameBits(held, Toy.Parameters(generator));
                    held = Toy.Parameters(judge);
                }

                making.Write("noise", Noise(i));
                making.Write("target", ones);
                making.Run();
                if (i < 3)
                {
                    Near.SameBits(held, Toy.Parameters(judge));
                }

                making.Read("made", made);
                float distance = Math.Abs(made.Average() - 3);
                (first, nearest) = (i == 0 ? distance : first, Math.Min(nearest, distance));
            }

            Assert.That((judging.StepCount, making.StepCount), Is.EqualTo((400L, 400L)));
        }

        Assert.That(nearest, Is.LessThan(first / 4), "what is made comes close to what is real");
        Assert.That(device.Memory.LiveBlocks, Is.Zero);
    }

    [Test]
    public void A_step_says_what_is_wrong_with_its_use()
    {
        using Device device = Open();
        Sequential model = Toy.Built();
        using var weights = new DeviceWeights(device, model);
        void Record(StepBuilder step) => step.Loss(
            "loss",
            Loss.SparseCrossEntropy.Apply(
                model.Apply(step.Input("x", [Dim.Batch, 2])), step.Input("labels", [Dim.Batch], DType.Int32)), 0.5f);
        using var step = new TrainingStep(weights, Record, [(new Sgd(), model.Parameters)]);
        Assert.That(() => step.Run(), Throws.InvalidOperationException.With.Message.Contains("Begin"));
        step.Begin([3, 2]);
        Assert.That(
            () => step.Write("y", X), Throws.ArgumentException.With.Message.Contains("'y'").And.Message.Contains("x, labels"));
        Assert.That(() => step.Write("x", X.AsSpan(0, 2)), Throws.TypeOf<ShapeException>().With.Message.Contains("6"));
        Assert.That(() => step.Write("labels", X.AsSpan(0, 3)), Throws.ArgumentException.With.Message.Contains("Int32"));
        step.Write("x", X);
        step.Write("labels", Labels);
        float weighted = step.Run();
        Assert.That(weighted, Is.EqualTo(0.5f * step.ReadLoss("loss")).Within(1e-6f));

        // During a step the memory of inputs serves other values.
        Assert.That(() => step.Run(), Throws.InvalidOperationException.With.Message.Contains("'x'"));
        step.Write("x", X);
        Assert.That(() => step.Forward(), Throws.InvalidOperationException.With.Message.Contains("'labels'"));
        Assert.That(
            () => step.ReadInputGradient("x", new float[6]),
            Throws.InvalidOperationException.With.Message.Contains("wantsGradient"));
        Assert.That(
            () => new TrainingStep(weights, Record, [(new Sgd(), Toy.Built().Parameters)]),
            Throws.ArgumentException.With.Message.Contains("weights"));
        Assert.That(
            () => new TrainingStep(weights, Record, [(new Sgd(), model.Parameters), (new Adam(), model.Parameters)]),
            Throws.ArgumentException.With.Message.Contains("two optimizers"));
    }

    private static (float[] Moved, float[] Before) Moved(Device device, Optimizer optimizer)
    {
        Sequential model = Toy.Built();
        float[] before = Toy.Parameters(model);
        using (Trainer trainer = Toy.Trainer(device, model, optimizer))
        {
            trainer.TrainBatch(X, Labels);
        }

        return ([.. before.Zip(Toy.Parameters(model), (b, a) => b - a)], before);
    }

    private static void Steps(Trainer trainer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            trainer.TrainBatch(X, Labels);
        }
    }

    /// <summary>Passes its inputs on, and has a buffer that comes half way to [1, 2] in every step.</summary>
    private sealed class Smoothed : Layer
    {
        private Parameter? _mean;

        protected override void Build(Value x) => _mean = AddBuffer("running_mean", new Shape(2), Initializer.Zeros);

        protected override Value Forward(Value x)
        {
            Value mean = x.Graph.Use(_mean!), half = x.Graph.Constant(0.5f);
            x.Graph.WriteBack(mean, (mean * half) + x.Graph.Constant([0.5f, 1f], new Shape(2)));
            return x;
        }
    }
}
