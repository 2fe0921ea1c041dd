using FastNN.Data;
using FastNN.Tensors;

namespace FastNN.Testing;

/// <summary>Updates from several batches, and gradients of a scaled loss.</summary>
internal abstract class AccumulationFixture
{
    protected abstract Device Open();

    [TestCase(48, 12, 4, Description = "one update")]
    [TestCase(96, 12, 4, Description = "two")]
    [TestCase(60, 12, 4, Description = "a last update of one batch")]
    [TestCase(43, 12, 4, Description = "a last batch of 7")]
    [TestCase(55, 12, 4, Description = "a last update of 7 examples")]
    public void Batches_that_add_up_train_as_one_that_is_as_large(int examples, int batch, int accumulate)
    {
        Dataset data = Toy.Points(examples);
        using Device device = Open();
        (float[] whole, History once, long updates) = Train(device, data, batch * accumulate, 1);
        (float[] parts, History added, long steps) = Train(device, data, batch, accumulate);
        Near.Check("parameters", parts, Array.ConvertAll(whole, value => (double)value), 1e-5);
        Assert.That(steps, Is.EqualTo(updates), "updates, not batches, are counted");
        Assert.That(added.Epochs.Select(epoch => epoch.Loss), Is.EqualTo(once.Epochs.Select(epoch => epoch.Loss)).Within(1e-5));
        Assert.That(
            added.Epochs.Select(epoch => epoch.Accuracy), Is.EqualTo(once.Epochs.Select(epoch => epoch.Accuracy)).Within(0.05));
    }

    [Test]
    public void Clipping_applies_to_the_whole()
    {
        Dataset data = Toy.Points(48);
        using Device device = Open();
        float[] whole = Train(device, data, 48, 1, new Sgd(0.5f) { ClipNorm = 0.1f }).Parameters;
        float[] parts = Train(device, data, 12, 4, new Sgd(0.5f) { ClipNorm = 0.1f }).Parameters;
        Near.Check("parameters", parts, Array.ConvertAll(whole, value => (double)value), 1e-5);
        Assert.That(whole, Is.Not.EqualTo(Train(device, data, 48, 1, new Sgd(0.5f)).Parameters), "it clips");
    }

    [Test]
    public void Batches_that_add_up_train_as_one_through_normalized_rows()
    {
        Dataset data = Toy.Points(96);
        using Device device = Open();
        float[] whole = Train(device, data, 48, 1, model: Normalized()).Parameters;
        float[] parts = Train(device, data, 12, 4, model: Normalized()).Parameters;
        Near.Check("parameters", parts, Array.ConvertAll(whole, value => (double)value), 1e-5);

        static Sequential Normalized()
        {
            var model = new Sequential(
                new Dense(16) { Name = "hidden" }, new LayerNorm { Name = "rows" },
                new Dense(Toy.Classes, Activation.Tanh) { Name = "logits" });
            model.Build(new Shape(2), seed: 5);
            return model;
        }
    }

    [Test]
    public void Gradients_add_up_through_operators_that_keep_tensors_for_their_backward_pass()
    {
        using Device device = Open();
        (float[][] first, float[][] second) = Run(accumulate: false);
        float[][] both = Run(accumulate: true).Second;
        Assert.That(both, Has.Length.EqualTo(6), "weight and bias of three layers");
        for (int i = 0; i < both.Length; i++)
        {
            Near.Check($"gradient {i}", both[i], [.. first[i].Zip(second[i], (a, b) => (double)a + b)], 4e-6);
            Assert.That(first[i], Is.Not.EqualTo(second[i]));
        }

        // The gradients after each of two batches.
        (float[][] First, float[][] Second) Run(bool accumulate)
        {
            var model = new Sequential(
                new Dense(12) { Name = "dense" }, new LayerNorm { Name = "rows" }, new BatchNorm1D { Name = "columns" },
                new Dropout(0.3f) { Name = "dropout" });
            model.Build(new Shape(5), seed: 4);
            using var weights = new DeviceWeights(device, model);
            using var step = new TrainingStep(weights, s =>
            {
                Value y = model.Apply(s.Input("x", [Dim.Batch, 5])), image = y.Reshape([Dim.Batch, 3, 4]);
                Value features = Operators.Concat(
                    1, image.Max([-1]), image.Min([1]), image.LogSumExp([-1]), image.StandardDeviation([-1]), y.Softmax());
                s.Loss("loss", Loss.MeanSquaredError.Apply(features, s.Input("target", [Dim.Batch, 25])));
            }, [(new Sgd(0.01f), model.Parameters)], seed: 6);
            return (Gradients(0), Gradients(1));

            float[][] Gradients(ulong batch)
            {
                step.Begin([16, 5], [16, 25]);
                step.Write("x", Numbers(16 * 5, batch));
                step.Write("target", Numbers(16 * 25, 100 + batch));
                step.Forward();
                step.Backward(accumulate);
                return [.. model.Parameters.Where(parameter => parameter.IsTrainable).Select(Gradient)];
            }

            float[] Gradient(Parameter parameter)
            {
                var gradient = new float[parameter.Count];
                step.ReadGradient(parameter, gradient);
                return gradient;
            }
        }

        static float[] Numbers(int count, ulong seed)
        {
            var numbers = new float[count];
            Philox.FillUniform(numbers, seed, Philox.Stream(RandomUse.Data));
            return numbers;
        }
    }

    [Test]
    public void Losses_that_are_sums_add_up()
    {
        float[] x = [.. Enumerable.Range(0, 24).Select(i => (i / 12f) - 1)];
        Dataset line = Dataset.FromFloats(x, [1], [.. x.Select(value => (2 * value) - 0.5f)], [1]);
        using Device device = Open();
        float[] Run(int batch, int accumulate)
        {
            var model = new Sequential(new Dense(1) { Name = "line" });
            using var trainer = new Trainer(
                model, device, new MeanSquaredErrorLoss { Reduction = Reduction.Sum }, new Sgd(0.01f), seed: 3);
            trainer.Fit(line, 2, batch, accumulate: accumulate);
            return Toy.Parameters(model);
        }

        Near.Check("parameters", Run(6, 4), Array.ConvertAll(Run(24, 1), value => (double)value), 1e-5);
    }

    [Test]
    public void A_batch_that_is_not_finite_takes_the_whole_update_with_it()
    {
        float[] x = [.. Enumerable.Range(0, 8).Select(i => (float)i)], y = [0, 0, 0, 0, 0, 1e30f, 0, 0];
        using Device device = Open();
        var model = new Sequential(new Dense(1) { Name = "line" });
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(0.001f), seed: 3);
        model.Build(new Shape(1), 3);
        float[] before = Toy.Parameters(model);
        Assert.That(
            () => trainer.Fit(Dataset.FromFloats(x, [1], y, [1]), 1, 2, accumulate: 4), Throws.TypeOf<NonFiniteLossException>());
        Near.SameBits(before, Toy.Parameters(model));
        Assert.That(trainer.StepCount, Is.Zero);
        trainer.Fit(Dataset.FromFloats(x, [1], x, [1]), 1, 2, accumulate: 4);
        Assert.That(trainer.StepCount, Is.EqualTo(1), "what was added up before is forgotten");
    }

    [TestCase(3, Description = "in the middle of an update")]
    [TestCase(4, Description = "behind one")]
    [TestCase(10, Description = "in the second epoch, three batches before the last update")]
    public void A_run_that_is_resumed_between_two_updates_continues_bit_for_bit(int interruptAfter)
    {
        // 7 batches of 16, the last of 4, four to an update; with dropout, so that its numbers have to continue too.
        Dataset data = Toy.Points(100);
        string checkpoint = Path.GetTempFileName();
        using Device device = Open();
        using Trainer undisturbed = Toy.Trainer(device, Toy.Built(0.3f));
        History expected = undisturbed.Fit(data, 3, 16, accumulate: 4);
        using (Trainer interrupted = Toy.Trainer(device, Toy.Built(0.3f)))
        using (var source = new CancellationTokenSource())
        {
            Assert.That(
                () => interrupted.Fit(
                    data, 3, 16, callbacks: [new Interruption(interruptAfter, checkpoint, source)], accumulate: 4,
                    cancellationToken: source.Token),
                Throws.InstanceOf<OperationCanceledException>());
        }

        using Trainer resumed = Toy.Trainer(device, Toy.Built(0.3f));
        resumed.LoadCheckpoint(checkpoint);
        if (interruptAfter == 3)
        {
            Assert.That(
                () => resumed.Fit(data, 3, 16, accumulate: 2),
                Throws.InvalidOperationException.With.Message.Contains("accumulate"));
        }

        History history = resumed.Fit(data, 3, 16, accumulate: 4);
        Near.SameBits(Toy.Parameters(undisturbed.Model), Toy.Parameters(resumed.Model));
        Assert.That(resumed.StepCount, Is.EqualTo(6));
        Assert.That(
            history.Epochs.Select(e => (e.Epoch, e.Loss, e.Accuracy)),
            Is.EqualTo(expected.Epochs.Select(e => (e.Epoch, e.Loss, e.Accuracy))));
        File.Delete(checkpoint);
    }

    [TestCase(1024f)]
    [TestCase(0.25f)]
    public void A_scaled_loss_changes_no_bit_of_an_update(float scale)
    {
        Dataset data = Toy.Points(40);
        using Device device = Open();
        foreach (int accumulate in (int[])[1, 2])
        {
            float[] plain = Train(device, data, 10, accumulate, new Adam(0.01f) { ClipNorm = 0.2f }).Parameters;
            float[] scaled = Train(device, data, 10, accumulate, new Adam(0.01f) { ClipNorm = 0.2f }, scale).Parameters;
            Near.SameBits(plain, scaled);
        }
    }

    [Test]
    public void A_loss_scale_that_makes_gradients_overflow_is_named()
    {
        using Device device = Open();
        var model = new Sequential(new Dense(1) { Name = "line" });
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(1e-3f), seed: 2)
        {
            LossScale = MathF.Pow(
            2, 100)
        };
        Assert.That(() => trainer.TrainBatch([1e10f], [0f]), Throws.InvalidOperationException.With.Message.Contains("not built"));
        model.Build(new Shape(1), 2);
        Assert.That(
            () => trainer.TrainBatch([1e10f], [0f]), Throws.TypeOf<NonFiniteLossException>().With.Message.Contains("loss scale"));
        Assert.That(
            () => new Trainer(model, device, Loss.MeanSquaredError, new Sgd()) { LossScale = 0 },
            Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Bad_numbers_of_batches_are_refused()
    {
        using Device device = Open();
        using Trainer trainer = Toy.Trainer(device);
        Assert.That(() => trainer.Fit(Toy.Points(8), accumulate: 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private static (float[] Parameters, History History, long Updates) Train(
        Device device, Dataset data, int batch, int accumulate, Optimizer? optimizer = null, float scale = 1,
        Sequential? model = null)
    {
        model ??= Toy.Built();
        using var trainer = new Trainer(
            model, device, Loss.SparseCrossEntropy, optimizer ?? new Sgd(0.5f, momentum: 0.9f), seed: 5)
        { LossScale = scale };
        History history = trainer.Fit(data, 3, batch, accumulate: accumulate);
        return (Toy.Parameters(model), history, trainer.StepCount);
    }

    /// <summary>Saves and cancels after some batch, counted over all epochs.</summary>
    private sealed class Interruption(int after, string checkpoint, CancellationTokenSource source) : Callback
    {
        private int _batches;

        public override void OnBatchEnd(Trainer trainer, in BatchResult result)
        {
            if (++_batches == after)
            {
                trainer.SaveCheckpoint(checkpoint);
                source.Cancel();
            }
        }
    }
}
