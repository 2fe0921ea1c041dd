using FastNN.Data;

namespace FastNN.Tests.Training;

/// <summary>Averages of weights: beside training, in evaluation, and in checkpoints.</summary>
internal sealed class WeightAverageTests : TrainingFixture
{
    private static readonly Dataset Data = Toy.Points(64);

    [Test]
    public void The_average_is_that_of_the_weights_after_each_update([Values] bool equal, [Values] bool recorded)
    {
        WeightAverage average = equal ? WeightAverage.Equal(start: 2, every: 3) : WeightAverage.Exponential(0.75f);
        using Trainer trainer = Toy.Trainer(Device, Toy.Built(),
            recorded ? new Lamb { Average = average } : new Adam(0.01f) { Average = average });
        var weights = new List<float[]>();
        for (int step = 1; step <= 9; step++)
        {
            Step(trainer, step);
            weights.Add(Toy.Parameters(trainer.Model));
            double[] expected = equal ? Equal(weights) : Exponential(weights, 0.75);
            using (trainer.UseAverage())
            {
                Near.Check($"after {step}", Toy.Parameters(trainer.Model), expected, 1e-6);
            }

            Near.SameBits([weights[^1]], [Toy.Parameters(trainer.Model)]);
        }
    }

    [Test]
    public void Training_is_not_changed_by_it()
    {
        float[] Train(WeightAverage? average)
        {
            using Trainer trainer = Toy.Trainer(Device, Toy.Built(), new Adam(0.01f) { Average = average });
            trainer.Fit(Data, 2, 16);
            return Toy.Parameters(trainer.Model);
        }

        Near.SameBits([Train(null)], [Train(WeightAverage.Exponential(0.9f))]);
    }

    [Test]
    public void A_checkpoint_has_it()
    {
        string path = PathOf("run.safetensors");
        float[] expected, resumed;
        using (Trainer trainer = Create())
        {
            Run(trainer, 1, 3);
            trainer.SaveCheckpoint(path);
            Run(trainer, 4, 6);
            expected = Averaged(trainer);
        }

        using (Trainer trainer = Create())
        {
            trainer.LoadCheckpoint(path);
            Run(trainer, 4, 6);
            resumed = Averaged(trainer);
        }

        Near.SameBits([expected], [resumed]);

        static void Run(Trainer trainer, int first, int last)
        {
            for (int step = first; step <= last; step++)
            {
                Step(trainer, step);
            }
        }

        Trainer Create() => Toy.Trainer(Device, Toy.Built(), new AdamW(0.01f) { Average = WeightAverage.Exponential(0.9f) });
    }

    [Test]
    public void Validation_may_be_with_it()
    {
        double Validated(bool average)
        {
            using var trainer = new Trainer(
                Toy.Built(), Device, Loss.SparseCrossEntropy, new Adam(0.05f) { Average = WeightAverage.Exponential(0.99f) },
                    seed: 5)
            {
                EvaluatesAverage = average,
            };
            History history = trainer.Fit(Data, 2, 16, validation: Data);
            using IDisposable? use = average ? trainer.UseAverage() : null;
            Assert.That(history.Epochs[^1].ValidationLoss!.Value, Is.EqualTo(trainer.Evaluate(Data).Loss).Within(1e-6));
            return history.Epochs[^1].ValidationLoss!.Value;
        }

        Assert.That(Validated(true), Is.Not.EqualTo(Validated(false)).Within(1e-3));
    }

    [Test]
    public void A_parameter_that_is_trained_later_begins_with_its_value()
    {
        Sequential model = Toy.Built();
        Parameter last = model.Parameters[^1];
        last.IsTrainable = false;
        using Trainer trainer = Toy.Trainer(Device, model, new Sgd(0.1f) { Average = WeightAverage.Exponential(0.5f) });
        Step(trainer, 1);
        var before = new float[last.Count];
        last.Read(before);
        last.IsTrainable = true;
        Step(trainer, 2);
        float[] after = new float[last.Count], average = new float[last.Count];
        last.Read(after);
        using (trainer.UseAverage())
        {
            last.Read(average);
        }

        Near.Check("average", average, [.. before.Zip(after, (x, y) => (x + y) / 2.0)], 1e-6);
    }

    [Test]
    public void What_does_not_go_with_it_is_refused()
    {
        using Trainer plain = Toy.Trainer(Device), averaged = Toy.Trainer(
            Device, Toy.Built(), new Sgd(0.1f) { Average = WeightAverage.Equal() });
        Assert.That(plain.UseAverage, Throws.InvalidOperationException.With.Message.Contains("an optimizer with an Average"));
        Assert.That(averaged.UseAverage, Throws.InvalidOperationException.With.Message.Contains("at least one training step"));
        Assert.That(
            () => new Trainer(Toy.Model(), Device, Loss.SparseCrossEntropy, new Sgd()) { EvaluatesAverage = true },
            Throws.InvalidOperationException.With.Message.Contains("EvaluatesAverage"));
        Step(averaged, 1);
        IDisposable use = averaged.UseAverage();
        Assert.That(() => Step(averaged, 2), Throws.InvalidOperationException.With.Message.Contains("UseAverage"));
        Assert.That(
            () => averaged.SaveCheckpoint(PathOf("x")), Throws.InvalidOperationException.With.Message.Contains("UseAverage"));
        use.Dispose();
        use.Dispose();
        Step(averaged, 2);
    }

    [Test]
    public void A_step_puts_the_averages_of_its_optimizers_in_place()
    {
        var teacher = new Sequential(new Dense(1) { UseBias = false });
        var student = new Sequential(new Dense(1) { UseBias = false });
        teacher.Build([1], seed: 1);
        student.Build([1], seed: 2);
        teacher.Parameters[0].Write([0]);
        student.Parameters[0].Write([0]);
        using var weights = new DeviceWeights(Device, teacher, student);
        using var step = new TrainingStep(
            weights,
            s =>
            {
                Value x = s.Input("x", [1, 1]);
                s.Loss("sum", (teacher.Apply(x) + student.Apply(x)).Mean());
            },
            [
                (new Sgd(1) { Average = WeightAverage.Exponential(0.5f) }, teacher.Parameters),
                (new Sgd(2), student.Parameters),
            ]);
        step.Begin([1, 1]);
        Assert.That(step.UseAverage, Throws.InvalidOperationException.With.Message.Contains("at least one training step"));
        for (int i = 0; i < 2; i++)
        {
            step.Write("x", [1f]);
            step.Run();
        }

        IDisposable use = step.UseAverage();

        // The weight was -1 and then -2; the other optimizer keeps no average.
        Assert.That(Toy.Parameters(teacher), Is.EqualTo(new[] { -1.5f }));
        Assert.That(Toy.Parameters(student), Is.EqualTo(new[] { -4f }));
        using (Predictor predictor = teacher.CreatePredictor(Device))
        {
            Assert.That(predictor.Predict([2]), Is.EqualTo(new[] { -3f }));
        }

        Assert.That(() => step.Begin([1, 1]), Throws.InvalidOperationException.With.Message.Contains("UseAverage"));
        Assert.That(step.UseAverage, Throws.InvalidOperationException.With.Message.Contains("UseAverage"));
        step.Write("x", [1f]);
        Assert.That(() => step.Run(), Throws.InvalidOperationException.With.Message.Contains("UseAverage"));
        use.Dispose();
        use.Dispose();
        Assert.That(Toy.Parameters(teacher), Is.EqualTo(new[] { -2f }));

        // The shapes are still chosen.
        step.Write("x", [1f]);
        step.Run();
        Assert.That(Toy.Parameters(teacher), Is.EqualTo(new[] { -3f }));
    }

    [Test]
    public void A_step_without_an_average_says_so()
    {
        Sequential model = Toy.Built();
        using var weights = new DeviceWeights(Device, model);
        using var step = new TrainingStep(
            weights, s => s.Loss("mean", model.Apply(s.Input("x", [1, 2])).Mean()), [(new Sgd(), model.Parameters)]);
        Assert.That(step.UseAverage, Throws.InvalidOperationException.With.Message.Contains("an optimizer with an Average"));
    }

    private static float[] Averaged(Trainer trainer)
    {
        using IDisposable use = trainer.UseAverage();
        return Toy.Parameters(trainer.Model);
    }

    private static void Step(Trainer trainer, int step) =>
        trainer.TrainBatch([0.5f, -0.25f * step, -0.75f, 0.125f], [1, step % Toy.Classes]);

    private static double[] Exponential(List<float[]> weights, double decay)
    {
        double[] mean = Array.ConvertAll(weights[0], value => (double)value);
        foreach (float[] next in weights.Skip(1))
        {
            mean = [.. mean.Zip(next, (old, value) => (decay * old) + ((1 - decay) * value))];
        }

        return mean;
    }

    /// <summary>The last weights up to the third update, from there on the mean of every third.</summary>
    private static double[] Equal(List<float[]> weights)
    {
        float[][] terms = weights.Count <= 3 ? [weights[^1]] : [.. weights.Skip(2).Where((_, i) => i % 3 == 0)];
        return [.. Enumerable.Range(0, terms[0].Length).Select(i => terms.Average(term => (double)term[i]))];
    }
}
