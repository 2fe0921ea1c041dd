namespace FastNN.Tests.Training;

/// <summary>The explicit loop: steps, their thirds, and every way of using a trainer wrongly.</summary>
internal sealed class TrainerTests : TrainingFixture
{
    private static readonly float[] X = [0.5f, 0.5f, -0.5f, 0.5f, 0.25f, -0.75f];
    private static readonly int[] Labels = [3, 2, 1];

    [Test]
    public void Step_is_forward_backward_and_update()
    {
        Sequential whole = Toy.Built(), thirds = Toy.Built();
        using (Trainer one = Toy.Trainer(Device, whole))
        using (Trainer three = Toy.Trainer(Device, thirds))
        {
            for (int i = 0; i < 5; i++)
            {
                float loss = one.TrainBatch(X, Labels);
                Assert.That(three.Forward(X, Labels), Is.EqualTo(loss));
                three.Backward();
                three.Update();
            }

            Assert.That(three.StepCount, Is.EqualTo(5));
        }

        Assert.That(Toy.Parameters(thirds), Is.EqualTo(Toy.Parameters(whole)));
        Assert.That(Toy.Parameters(whole), Is.Not.EqualTo(Toy.Parameters(Toy.Built())));
    }

    [Test]
    public void Gradients_and_outputs_can_be_read()
    {
        Sequential model = Toy.Built();
        using Trainer trainer = Toy.Trainer(Device, model, new Sgd(0.5f));
        Parameter bias = ((Dense)model.Layers[2]).Bias!;
        var before = new float[Toy.Classes];
        bias.Read(before);
        trainer.Forward(X, Labels);
        var output = new float[X.Length / 2 * Toy.Classes];
        Assert.That(trainer.ReadOutput(output), Is.EqualTo(output.Length));
        trainer.Backward();
        var gradient = new float[Toy.Classes];
        trainer.ReadGradient(bias, gradient);

        // The gradient of a bias before a softmax is the mean of probability minus one-hot.
        for (int c = 0; c < Toy.Classes; c++)
        {
            double expected = 0;
            for (int i = 0; i < Labels.Length; i++)
            {
                double sum = Enumerable.Range(0, Toy.Classes).Sum(j => Math.Exp(output[(i * Toy.Classes) + j]));
                expected += ((Math.Exp(output[(i * Toy.Classes) + c]) / sum) - (Labels[i] == c ? 1 : 0)) / Labels.Length;
            }

            Assert.That(gradient[c], Is.EqualTo(expected).Within(1e-6));
        }

        trainer.Update();
        var after = new float[Toy.Classes];
        bias.Read(after);
        Assert.That(after, Is.EqualTo(before.Zip(gradient, (b, g) => b - (0.5f * g)).ToArray()).Within(1e-7f));
    }

    [Test]
    public void Parts_out_of_order_are_refused()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        Assert.That(() => trainer.Backward(), Throws.InvalidOperationException);
        Assert.That(trainer.Update, Throws.InvalidOperationException);
        trainer.Forward(X, Labels);
        Assert.That(trainer.Update, Throws.InvalidOperationException);
        trainer.Backward();
        Assert.That(() => trainer.Backward(), Throws.InvalidOperationException);
    }

    [Test]
    public void An_evaluation_ends_what_a_forward_pass_left()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        trainer.Forward(X, Labels);
        trainer.Evaluate(Toy.Points(8));
        Assert.That(() => trainer.Backward(), Throws.InvalidOperationException);
        Assert.That(() => trainer.ReadOutput(new float[12]), Throws.InvalidOperationException);
        Assert.That(float.IsFinite(trainer.TrainBatch(X, Labels)));
    }

    [Test]
    public void An_unbuilt_model_is_refused()
    {
        using Trainer trainer = Toy.Trainer(Device);
        Assert.That(() => trainer.TrainBatch(X, Labels), Throws.InvalidOperationException.With.Message.Contains("Build"));
    }

    [TestCase(new float[0], new int[0])]
    [TestCase(new float[] { 1, 2, 3 }, new[] { 1 })]
    [TestCase(new float[] { 1, 2, 3, 4 }, new[] { 1 })]
    public void Lengths_that_do_not_fit_are_refused(float[] x, int[] labels)
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        Assert.That(() => trainer.TrainBatch(x, labels), Throws.TypeOf<ShapeException>());
    }

    [TestCase(-1)]
    [TestCase(4)]
    [TestCase(int.MinValue)]
    public void A_label_out_of_range_is_refused_and_changes_nothing(int label)
    {
        Sequential model = Toy.Built();
        using (Trainer trainer = Toy.Trainer(Device, model))
        {
            Assert.That(
                () => trainer.TrainBatch(X, [3, label, 1]),
                Throws.TypeOf<InvalidDatasetException>().With.Message.Contains($"label {label} of example 1"));
        }

        Assert.That(Toy.Parameters(model), Is.EqualTo(Toy.Parameters(Toy.Built())));
    }

    [Test]
    public void Targets_of_the_wrong_kind_are_refused()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        Assert.That(() => trainer.TrainBatch(X, new float[12]), Throws.ArgumentException.With.Message.Contains("class indices"));
    }

    [Test]
    public void A_loss_that_is_not_finite_stops_before_the_update()
    {
        Sequential model = Toy.Built();
        using (Trainer trainer = Toy.Trainer(Device, model))
        {
            Assert.That(
                () => trainer.TrainBatch([float.NaN, 0], [1]),
                Throws.TypeOf<NonFiniteLossException>().With.Message.Contains("step 1"));
            Assert.That(trainer.StepCount, Is.Zero);
        }

        Assert.That(Toy.Parameters(model), Is.EqualTo(Toy.Parameters(Toy.Built())));
    }

    [Test]
    public void Two_threads_on_one_trainer_are_refused()
    {
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        var holder = new Thread(() => trainer.Fit(Toy.Points(8), callbacks: [new Pause(entered, leave)]));
        holder.Start();
        entered.Wait();
        Assert.That(() => trainer.TrainBatch(X, Labels), Throws.TypeOf<ConcurrentUseException>());
        leave.Set();
        holder.Join();
        Assert.That(float.IsFinite(trainer.TrainBatch(X, Labels)), "the trainer works on when the other thread is done");
    }

    [Test]
    public void Disposing_twice_is_harmless_and_use_afterwards_is_refused()
    {
        Sequential model = Toy.Built();
        Trainer trainer = Toy.Trainer(Device, model);
        trainer.TrainBatch(X, Labels);
        trainer.Dispose();
        trainer.Dispose();
        Assert.That(() => trainer.TrainBatch(X, Labels), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(Toy.Parameters(model), Has.Length.EqualTo(2 * 16 + 16 + 16 * 4 + 4), "the parameters are back on the host");
    }

    [Test]
    public void A_disposed_device_is_refused()
    {
        Sequential model = Toy.Built();
        Device other = Device.Cpu(1);
        Trainer trainer = Toy.Trainer(other, model);
        trainer.Dispose();
        other.Dispose();
        Assert.That(() => Toy.Trainer(other, model), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Two_trainers_on_one_model_are_refused()
    {
        Sequential model = Toy.Built();
        using Trainer first = Toy.Trainer(Device, model);
        first.TrainBatch(X, Labels);
        using Trainer second = Toy.Trainer(Device, model);
        Assert.That(
            () => second.TrainBatch(X, Labels), Throws.InvalidOperationException.With.Message.Contains("another trainer"));
        Assert.That(float.IsFinite(first.TrainBatch(X, Labels)));
    }

    [Test]
    public void Frozen_layers_stay_as_they_are()
    {
        Sequential model = Toy.Built();
        model.Layers[0].IsTrainable = false;
        float[] before = Toy.Parameters(model);
        using (Trainer trainer = Toy.Trainer(Device, model))
        {
            trainer.TrainBatch(X, Labels);
        }

        float[] after = Toy.Parameters(model);
        Assert.That(after[..48], Is.EqualTo(before[..48]), "the frozen hidden layer");
        Assert.That(after[48..], Is.Not.EqualTo(before[48..]), "the trained output layer");
    }

    [Test]
    public void Penalties_enter_loss_and_gradient()
    {
        Sequential Model(Regularizer? penalty) => new(new Dense(Toy.Classes) { WeightRegularizer = penalty });
        Sequential plain = Model(null), penalised = Model(Regularizer.L1L2(0.1f, 0.2f));
        plain.Build(new Shape(2), 5);
        penalised.Build(new Shape(2), 5);
        float[] weights = Toy.Parameters(plain)[..8];
        var gradients = new float[2][];
        float[] losses = new float[2];
        foreach ((Sequential model, int i) in new[] { (plain, 0), (penalised, 1) })
        {
            using Trainer trainer = Toy.Trainer(Device, model);
            losses[i] = trainer.Forward(X, Labels);
            trainer.Backward();
            gradients[i] = new float[8];
            trainer.ReadGradient(model.Parameters[0], gradients[i]);
        }

        Assert.That(losses[1] - losses[0], Is.EqualTo(weights.Sum(w => (0.1 * Math.Abs(w)) + (0.2 * w * w))).Within(1e-5));
        for (int i = 0; i < weights.Length; i++)
        {
            Assert.That(
                gradients[1][i] - gradients[0][i], Is.EqualTo((0.1 * Math.Sign(weights[i])) + (0.4 * weights[i])).Within(1e-5));
        }
    }

    [Test]
    public void A_loss_that_is_not_reduced_cannot_be_trained_on()
    {
        using var trainer = new Trainer(
            Toy.Built(), Device, new CrossEntropyLoss { ClassIndices = true, Reduction = Reduction.None }, new Adam());
        Assert.That(() => trainer.TrainBatch(X, Labels), Throws.TypeOf<ShapeException>().With.Message.Contains("one number"));
    }

    /// <summary>Holds the training thread until it is told to go on.</summary>
    private sealed class Pause(ManualResetEventSlim entered, ManualResetEventSlim leave) : Callback
    {
        public override void OnBatchEnd(Trainer trainer, in BatchResult result)
        {
            entered.Set();
            leave.Wait();
        }
    }
}
