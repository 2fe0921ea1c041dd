using FastNN.Data;

namespace FastNN.Testing;

/// <summary>Metrics on a device, against plain sums in double over the model's outputs.</summary>
internal abstract class MetricFixture
{
    protected abstract Device Open();

    [TestCase(50, 16, Description = "a last batch of 2")]
    [TestCase(48, 16, Description = "whole batches")]
    [TestCase(7, 16, Description = "one small batch")]
    public void Regression_metrics_are_those_of_all_examples(int count, int batch)
    {
        // Targets with a large mean, from which a variance in single precision would not survive.
        (float[] x, float[] y) = (Draw(count * 3, 1), Draw(count * 2, 2));
        y = [.. y.Select(value => 1000 + value)];
        var model = new Sequential(new Dense(2) { Name = "line" });
        model.Build(new Shape(3), 4);
        model.Parameters[1].Write([1000, 1000]);
        using Device device = Open();
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(0));
        Dataset data = Dataset.FromFloats(x, [3], y, [2]);
        Metric[] metrics =
        [
            Metric.MeanAbsoluteError, Metric.MeanSquaredError, Metric.RootMeanSquaredError, Metric.R2,
            Metric.From("Bias", (output, target) => output - target), new Largest(),
        ];
        MetricValues values = trainer.Evaluate(data, batch, metrics).Metrics;
        double[] output = [.. trainer.Predict(data).Select(value => (double)value)], errors = [.. output.Zip(y, (a, b) => a - b)];
        double R2(int column)
        {
            double[] own = [.. errors.Where((_, i) => i % 2 == column)],
            targets = [.. y.Where((_, i) => i % 2 == column).Select(value => (double)value)];
            double mean = targets.Average();
            return 1 - (own.Sum(e => e * e) / targets.Sum(t => (t - mean) * (t - mean)));
        }

        Assert.Multiple(() =>
        {
            Assert.That(values.Names, Is.EqualTo(metrics.Select(metric => metric.Name)));
            Assert.That(values["MeanAbsoluteError"], Is.EqualTo(errors.Average(Math.Abs)).Within(1e-5));
            Assert.That(values["MeanSquaredError"], Is.EqualTo(errors.Average(e => e * e)).Within(1e-5));
            Assert.That(values["RootMeanSquaredError"], Is.EqualTo(Math.Sqrt(errors.Average(e => e * e))).Within(1e-5));
            Assert.That(values["R2"], Is.EqualTo((R2(0) + R2(1)) / 2).Within(1e-4));
            Assert.That(values["Bias"], Is.EqualTo(errors.Average()).Within(1e-5));
            Assert.That(
                values["Largest"], Is.EqualTo(errors.Chunk(2).Average(pair => pair.Max())).Within(1e-5),
                "a metric of the user's own");
        });
    }

    [Test]
    public void Class_metrics_are_those_of_the_confusion_matrix()
    {
        Dataset data = Toy.Points(75);
        using Device device = Open();
        using Trainer trainer = Toy.Trainer(device, Toy.Built());
        trainer.Fit(data, 1, 16);
        Evaluation evaluation = trainer.Evaluate(
            data, 16, [Metric.Accuracy, Metric.Precision, Metric.Recall, Metric.F1, new TopK(1), new TopK(2), new TopK(4)]);
        var report = new ClassificationReport(evaluation.Confusion!);
        float[] outputs = trainer.Predict(data);
        int Rank(int i) => outputs[(i * 4)..((i * 4) + 4)] is var row ? row.Count(value => value > row[data.LabelOf(i)]) : 0;
        MetricValues values = evaluation.Metrics;
        Assert.Multiple(() =>
        {
            Assert.That(values["Accuracy"], Is.EqualTo(evaluation.Accuracy));
            Assert.That(values["Top1"], Is.EqualTo(evaluation.Accuracy));
            Assert.That(values["Top2"], Is.EqualTo(Enumerable.Range(0, 75).Count(i => Rank(i) < 2) / 75.0));
            Assert.That(values["Top4"], Is.EqualTo(1));
            Assert.That(values["Precision"], Is.EqualTo(report.MacroAverage.Precision).Within(1e-12));
            Assert.That(values["Recall"], Is.EqualTo(report.MacroAverage.Recall).Within(1e-12));
            Assert.That(values["F1"], Is.EqualTo(report.MacroAverage.F1).Within(1e-12));
        });
    }

    [TestCase(1, Description = "one number against the threshold")]
    [TestCase(4)]
    [TestCase(256, Description = "the most that the device counts")]
    [TestCase(257, Description = "counted on the host")]
    public void The_confusion_matrix_counts_what_the_outputs_name(int columns)
    {
        int classes = Math.Max(columns, 2);
        float[] x = Draw(75 * 3, 1);
        int[] labels = [.. Enumerable.Range(0, 75).Select(i => i * 7 % classes)];
        Dataset data = columns == 1
            ? Dataset.FromFloats(x, [3], [.. labels.Select(label => (float)label)], [1])
            : Dataset.FromFloats(x, [3], labels, classes);
        var model = new Sequential(new Dense(columns) { Name = "line" });
        model.Build(new Shape(3), 4);
        using Device device = Open();
        using var trainer = new Trainer(
            model, device, columns == 1 ? Loss.BinaryCrossEntropyWithLogits : Loss.SparseCrossEntropy, new Sgd(0));
        var expected = new ConfusionMatrix(classes);
        float[] outputs = trainer.Predict(data);
        if (columns == 1)
        {
            expected.AddProbabilities(labels, outputs, threshold: 0);
        }
        else
        {
            expected.AddScores(labels, outputs);
        }

        ConfusionMatrix counted = trainer.Evaluate(data, 16).Confusion!, again = trainer.Evaluate(data, 75).Confusion!;
        for (int i = 0; i < classes * classes; i++)
        {
            (int actual, int predicted) = (i / classes, i % classes);
            Assert.That(counted[actual, predicted], Is.EqualTo(expected[actual, predicted]), $"{predicted} for {actual}");
            Assert.That(again[actual, predicted], Is.EqualTo(expected[actual, predicted]), "each evaluation counts anew");
        }

        Assert.That((counted.Total, counted.Correct), Is.EqualTo((75L, expected.Correct)));
    }

    [Test]
    public void A_row_of_NaN_is_taken_for_the_class_of_the_first_one()
    {
        var model = new Sequential(new Dense(4) { Name = "constant" });
        model.Build(new Shape(1));
        model.Parameters[1].Write([0, 1, float.NaN, float.NaN]);
        using Device device = Open();
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Sgd(0));
        ConfusionMatrix counted = trainer.Evaluate(Dataset.FromFloats(new float[3], [1], [2, 1, 2], 4)).Confusion!;
        Assert.That((counted[2, 2], counted[1, 2], counted.Total), Is.EqualTo((2L, 1L, 3L)));
    }

    [Test]
    public void Equal_outputs_one_hot_targets_thresholds_and_ignored_classes_count_as_in_the_report()
    {
        using Device device = Open();
        // Outputs [0, 1, 1]: of the two equal ones the first is the answer.
        Sequential Constant(params float[] bias)
        {
            var model = new Sequential(new Dense(bias.Length) { Name = "constant" });
            model.Build(new Shape(1));
            model.Parameters[1].Write(bias);
            return model;
        }

        MetricValues Values(Sequential model, Loss loss, Dataset data, params Metric[] metrics)
        {
            using var trainer = new Trainer(model, device, loss, new Sgd(0));
            Evaluation evaluation = trainer.Evaluate(data, 2, metrics);
            Assert.That(evaluation.Metrics["Accuracy"], Is.EqualTo(evaluation.Accuracy));
            return evaluation.Metrics;
        }

        MetricValues equal = Values(
            Constant(0, 1, 1), Loss.SparseCrossEntropy, Dataset.FromFloats(new float[5], [1], [0, 1, 2, 1, 2], 3),
            Metric.Accuracy, new TopK(2));
        Assert.That((equal["Accuracy"], equal["Top2"]), Is.EqualTo((0.4, 0.8)));
        var ignoring = new CrossEntropyLoss { ClassIndices = true, IgnoreIndex = 2 };
        MetricValues ignored = Values(
            Constant(0, 1, 1), ignoring, Dataset.FromFloats(new float[5], [1], [0, 1, 2, 1, 2], 3), Metric.Accuracy, Metric.F1,
            new TopK(2));
        Assert.That((ignored["Accuracy"], ignored["Top2"]), Is.EqualTo((2 / 3.0, 2 / 3.0)));
        MetricValues oneHot = Values(
            Constant(0, 1, 0), Loss.CrossEntropy, Dataset.FromFloats(new float[3], [1], [0, 1, 0, 0, 0, 1, 0, 0.5f, 0.5f], [3]),
            Metric.Accuracy, new TopK(1));
        Assert.That((oneHot["Accuracy"], oneHot["Top1"]), Is.EqualTo((2 / 3.0, 2 / 3.0)));
        MetricValues binary = Values(
            Constant(0.25f), Loss.BinaryCrossEntropyWithLogits, Dataset.FromFloats(new float[5], [1], [1, 0, 1, 1, 0], [1]),
            Metric.Accuracy, Metric.Recall);
        Assert.That(
            (binary["Accuracy"], binary["Recall"]), Is.EqualTo((0.6, 0.5)), "a logit of 0.25 is above 0, though not above 0.5");
    }

    [Test]
    public void Overlaps_are_means_over_the_classes_that_occur_or_are_predicted()
    {
        using Device device = Open();
        var model = new Sequential(new Dense(4) { Name = "constant" });
        model.Build(new Shape(1));
        model.Parameters[1].Write([0, 1, 0, 0]);
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Sgd(0));

        // All are taken for class 1: of it 2 are right of 5; class 2 is never right, class 3 does not occur.
        MetricValues values = trainer.Evaluate(
            Dataset.FromFloats(new float[5], [1], [1, 2, 2, 1, 0], 4), 2, [Metric.IoU, Metric.Dice]).Metrics;
        Assert.That(values["IoU"], Is.EqualTo(2 / 5.0 / 3).Within(1e-12));
        Assert.That(values["Dice"], Is.EqualTo(4 / 7.0 / 3).Within(1e-12));
    }

    [Test]
    public void The_area_under_the_curve_is_near_the_exact_one_over_several_batches([Values] bool fromLogits)
    {
        var random = new Random(6);
        float[] scores = [.. Enumerable.Range(0, 300).Select(_ => (float)random.NextDouble())];
        int[] labels = [.. scores.Select(score => random.NextDouble() < score ? 1 : 0)];
        float[] outputs = fromLogits ? Array.ConvertAll(scores, score => MathF.Log(score / (1 - score))) : scores;
        using Device device = Open();
        using var trainer = new Trainer(
            new Sequential(new Flatten()), device,
            fromLogits ? Loss.BinaryCrossEntropyWithLogits : Loss.BinaryCrossEntropy, new Sgd());
        Dataset data = Dataset.FromFloats(outputs, [1], Array.ConvertAll(labels, label => (float)label), [1]);
        using Trainer other = Toy.Trainer(device);
        MetricValues values = trainer.Evaluate(data, batchSize: 64, metrics: [new RocAuc()]).Metrics;
        Assert.That(values["RocAuc"], Is.EqualTo(RocAuc.Exact(scores, labels)).Within(3e-3));
        Assert.That(
            () => other.Evaluate(Toy.Points(8), metrics: [new RocAuc()]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("RocAuc: expected a single output"));
    }

    [Test]
    public void Perplexity_is_e_to_the_mean_loss_of_the_places_that_count()
    {
        Dataset data = Toy.Points(50);
        using Device device = Open();
        using Trainer trainer = Toy.Trainer(device);
        Evaluation evaluation = trainer.Evaluate(data, batchSize: 16, metrics: [Metric.Perplexity]);
        Assert.That(evaluation.Metrics["Perplexity"], Is.EqualTo(Math.Exp(evaluation.Loss)).Within(1e-5));

        // Logits [0, log 3]: a quarter for class 0, three quarters for class 1; class 2 is ignored.
        var model = new Sequential(new Dense(3) { Name = "constant" });
        model.Build(new Shape(1));
        model.Parameters[1].Write([0, MathF.Log(3), float.NegativeInfinity]);
        using var ignoring = new Trainer(
            model, device, new CrossEntropyLoss { ClassIndices = true, IgnoreIndex = 2 }, new Sgd(0));
        MetricValues values = ignoring.Evaluate(
            Dataset.FromFloats(new float[5], [1], [0, 2, 1, 2, 1], 3), 2, [Metric.Perplexity]).Metrics;
        Assert.That(values["Perplexity"], Is.EqualTo(Math.Pow(0.25 * 0.75 * 0.75, -1 / 3.0)).Within(1e-5));
    }

    [Test]
    public void Fit_reports_metrics_of_every_epoch_and_leaves_the_weights_alone()
    {
        Dataset data = Toy.Points(50), other = Toy.Points(30, seed: 9);
        using Device device = Open();
        using Trainer plain = Toy.Trainer(device, Toy.Built(0.3f)), measured = Toy.Trainer(device, Toy.Built(0.3f));
        plain.Fit(data, 3, 16, other);
        History history = measured.Fit(data, 3, 16, other, metrics: [Metric.Accuracy, new TopK(2)]);
        Near.SameBits(Toy.Parameters(plain.Model), Toy.Parameters(measured.Model));
        foreach (EpochResult epoch in history.Epochs)
        {
            Assert.That(epoch.Metrics["Accuracy"], Is.EqualTo(epoch.Accuracy));
            Assert.That(epoch.ValidationMetrics["Accuracy"], Is.EqualTo(epoch.ValidationAccuracy));
            Assert.That(epoch.Metrics["Top2"], Is.GreaterThanOrEqualTo(epoch.Accuracy!.Value));
            Assert.That(epoch.ToString(), Does.Contain(", Accuracy 0.").And.Contain(", validation Accuracy 0."));
        }

        Assert.That(measured.Fit(data, 1, 16).Epochs[0].Metrics, Is.EqualTo(MetricValues.Empty), "none are asked for");
    }

    [Test]
    public void Metrics_of_a_resumed_run_count_the_epoch_from_its_beginning()
    {
        Dataset data = Toy.Points(50);
        string checkpoint = Path.GetTempFileName();
        Metric[] metrics = [Metric.Accuracy, new TopK(2)];
        using Device device = Open();
        using Trainer undisturbed = Toy.Trainer(device, Toy.Built());
        History expected = undisturbed.Fit(data, 2, 8, metrics: metrics);
        using (Trainer interrupted = Toy.Trainer(device, Toy.Built()))
        using (var source = new CancellationTokenSource())
        {
            Assert.That(
                () => interrupted.Fit(
                    data, 2, 8, callbacks: [new SaveAt(10, checkpoint, source)], metrics: metrics,
                    cancellationToken: source.Token),
                Throws.InstanceOf<OperationCanceledException>());
        }

        using Trainer resumed = Toy.Trainer(device, Toy.Built());
        resumed.LoadCheckpoint(checkpoint);
        Assert.That(
            () => resumed.Fit(data, 2, 8, metrics: [Metric.F1]), Throws.InvalidOperationException.With.Message.Contains("F1"));
        resumed.LoadCheckpoint(checkpoint);
        History history = resumed.Fit(data, 2, 8, metrics: metrics);
        Assert.That(history.Epochs.Select(epoch => epoch.Metrics), Is.EqualTo(expected.Epochs.Select(epoch => epoch.Metrics)));
        Near.SameBits(Toy.Parameters(undisturbed.Model), Toy.Parameters(resumed.Model));
        File.Delete(checkpoint);
    }

    [Test]
    public void A_step_of_any_graph_has_metrics_and_leaves_out_what_the_guard_forbids()
    {
        using Device device = Open();
        Sequential model = new(new Dense(1) { Name = "line" });
        model.Build(new Shape(1), 2);
        using var weights = new DeviceWeights(device, model);
        using var step = new TrainingStep(weights, s =>
        {
            Value y = model.Apply(s.Input("x", [Dim.Batch, 1])), target = s.Input("target", [Dim.Batch, 1]);
            s.Loss("loss", Loss.MeanSquaredError.Apply(y, target));
            s.Metric("error", Metric.MeanAbsoluteError, y, target);
        }, [(new Sgd(0), model.Parameters)]);
        float weight = Toy.Parameters(model)[0];
        float Error(params float[] x)
        {
            step.Begin([x.Length, 1]);
            step.Write("x", x);
            step.Write("target", new float[x.Length]);
            step.Run();
            return Math.Abs(weight) * x.Sum(Math.Abs);
        }

        Assert.That(step.Metrics, Is.EqualTo(new[] { "error" }));
        Assert.That(step.ReadMetric("error"), Is.NaN);
        double sum = Error(1, 2, 3) + Error(4) + Error(5, 6, 7) + Error(1, 1, 1) + Error(1, 2, 1);
        Assert.That(() => Error(1e30f, 0, 0), Throws.TypeOf<NonFiniteLossException>());
        Assert.That(step.ReadMetric("error"), Is.EqualTo(sum / 13).Within(1e-5));
        step.ResetMetrics();
        step.Begin([1, 1]);
        step.Write("x", [2f]);
        step.Write("target", [0f]);
        step.Forward();
        step.Backward();
        step.Update();
        Assert.That(step.ReadMetric("error"), Is.EqualTo(2 * Math.Abs(weight)).Within(1e-6));
        Assert.That(() => step.ReadMetric("loss"), Throws.ArgumentException.With.Message.Contains("error"));
    }

    [Test]
    public void Metrics_that_do_not_fit_are_refused()
    {
        using Device device = Open();
        using Trainer trainer = Toy.Trainer(device, Toy.Built());
        Dataset data = Toy.Points(8);
        Assert.That(
            () => trainer.Fit(data, metrics: [Metric.R2, Metric.R2]), Throws.ArgumentException.With.Message.Contains("R2"));
        Assert.That(
            () => trainer.Fit(data, metrics: [Metric.From("a,b", (y, _) => y)]),
            Throws.ArgumentException.With.Message.Contains("a,b"));
        Assert.That(() => trainer.Fit(data, metrics: [Metric.R2]), Throws.TypeOf<ShapeException>().With.Message.Contains("R2"));
        Assert.That(
            () => trainer.Evaluate(data, metrics: [Metric.From("whole", (y, _) => y.Cast(DType.Bool))]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("whole"));
        Assert.That(() => new TopK(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(trainer.Fit(data).Epochs, Has.Count.EqualTo(1), "the trainer is usable afterwards");
    }

    private static float[] Draw(int count, int seed) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin((i * 1.7f) + seed))];

    /// <summary>The mean of the larger error of each example.</summary>
    private sealed class Largest : Metric
    {
        public override string Name => "Largest";

        public override Value Record(MetricInputs inputs) => (inputs.Output - inputs.Target).Max([-1]);

        public override double Compute(MetricSums sums) => sums.Sum() / sums.Count;
    }

    private sealed class SaveAt(long step, string path, CancellationTokenSource source) : Callback
    {
        public override void OnBatchEnd(Trainer trainer, in BatchResult result)
        {
            if (result.Step == step)
            {
                trainer.SaveCheckpoint(path);
                source.Cancel();
            }
        }
    }
}
