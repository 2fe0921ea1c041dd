using FastNN.Data;

namespace FastNN.Tests.Training;

/// <summary>Fit, Evaluate and Predict with their callbacks.</summary>
internal sealed class FitTests : TrainingFixture
{
    [Test]
    public void Training_learns_and_reports_every_epoch()
    {
        using Trainer trainer = Toy.Trainer(Device);
        Dataset test = Toy.Points(200, seed: 8);
        History history = trainer.Fit(Toy.Points(512), epochs: 20, batchSize: 32, validation: test);
        Assert.That(history.Epochs.Select(epoch => epoch.Epoch), Is.EqualTo(Enumerable.Range(1, 20)));
        Assert.That(history.Epochs[^1].Loss, Is.LessThan(history.Epochs[0].Loss / 3));
        Evaluation evaluation = trainer.Evaluate(test);
        Assert.That(evaluation.Accuracy, Is.GreaterThan(0.95).And.EqualTo(history.Epochs[^1].ValidationAccuracy));
        Assert.That(evaluation.Loss, Is.EqualTo(history.Epochs[^1].ValidationLoss));
        Assert.That(evaluation.Confusion!.Accuracy, Is.EqualTo(evaluation.Accuracy));
        Assert.That(history.StoppedEarly, Is.False);
    }

    [Test]
    public void The_epoch_loss_is_the_mean_over_examples_though_the_last_batch_is_smaller()
    {
        var recorder = new Recorder();
        using Trainer trainer = Toy.Trainer(Device);
        History history = trainer.Fit(Toy.Points(50), epochs: 1, batchSize: 32, callbacks: [recorder]);
        Assert.That(recorder.Batches.Select(batch => batch.Count), Is.EqualTo(new[] { 32, 18 }));
        double mean = recorder.Batches.Sum(batch => (double)batch.Loss * batch.Count) / 50;
        Assert.That(history.Epochs[0].Loss, Is.EqualTo(mean).Within(1e-12));
    }

    [Test]
    public void A_validation_split_holds_examples_out()
    {
        var recorder = new Recorder();
        using Trainer trainer = Toy.Trainer(Device);
        History history = trainer.Fit(Toy.Points(100), epochs: 1, batchSize: 100, validationSplit: 0.25, callbacks: [recorder]);
        Assert.That(recorder.Batches.Single().Count, Is.EqualTo(75));
        Assert.That(history.Epochs[0].ValidationLoss, Is.Not.Null);
    }

    [Test]
    public void Early_stopping_waits_its_patience_and_restores_the_best()
    {
        var monitor = new Script(0.5, 0.4, 0.45, 0.39999, 0.41, 0.42, 0.1);
        var stopping = new EarlyStopping(patience: 3, minDelta: 0.001, restoreBest: true, monitor: MonitoredValue.Loss);
        using Trainer trainer = Toy.Trainer(Device);
        History history = trainer.Fit(Toy.Points(64), epochs: 7, batchSize: 16, callbacks: [monitor.Feeding(stopping)]);
        Assert.That(stopping.BestEpoch, Is.EqualTo(2));
        Assert.That(stopping.StoppedEpoch, Is.EqualTo(5), "epochs 3, 4 and 5 did not improve by 0.001");
        Assert.That(history.StoppedEarly);
        Assert.That(
            Toy.Parameters(trainer.Model), Is.EqualTo(monitor.ParametersAfter[1]), "the best epoch's parameters are back");
    }

    [Test]
    public void Watching_validation_without_any_is_refused()
    {
        using Trainer trainer = Toy.Trainer(Device);
        Assert.That(
            () => trainer.Fit(Toy.Points(8), callbacks: [new EarlyStopping(patience: 1)]),
            Throws.InvalidOperationException.With.Message.Contains("validation"));
    }

    [Test]
    public void Files_of_callbacks_hold_what_they_promise()
    {
        string csv = PathOf("log.csv");
        using Trainer trainer = Toy.Trainer(Device);
        trainer.Fit(
            Toy.Points(64), epochs: 3, batchSize: 16, validationSplit: 0.25,
            callbacks: [
                new CsvLog(csv), new ModelCheckpoint(PathOf("w{epoch}.safetensors")),
                new ModelCheckpoint(PathOf("best.safetensors"), bestOnly: true)]);
        string[] lines = File.ReadAllLines(csv);
        Assert.That(lines, Has.Length.EqualTo(4));
        Assert.That(lines[0], Does.StartWith("epoch,loss,accuracy"));
        Assert.That(lines[3], Does.StartWith("3,"));
        Sequential loaded = Toy.Built();
        loaded.LoadWeights(PathOf("w3.safetensors"));
        Assert.That(Toy.Parameters(loaded), Is.EqualTo(Toy.Parameters(trainer.Model)));
        Assert.That(File.Exists(PathOf("w1.safetensors")) && File.Exists(PathOf("best.safetensors")));
    }

    [Test]
    public void Cancelling_ends_after_the_step()
    {
        using var source = new CancellationTokenSource();
        using Trainer trainer = Toy.Trainer(Device);
        Assert.That(
            () => trainer.Fit(
                Toy.Points(64), epochs: 5, batchSize: 16, callbacks: [new CancelAt(source, step: 6)],
                cancellationToken: source.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(trainer.StepCount, Is.EqualTo(6));
    }

    [Test]
    public void Predict_gives_the_outputs_that_evaluate_judges()
    {
        using Trainer trainer = Toy.Trainer(Device);
        Dataset data = Toy.Points(70);
        trainer.Fit(data, epochs: 5, batchSize: 16);
        float[] outputs = trainer.Predict(data, batchSize: 32);
        Assert.That(outputs, Has.Length.EqualTo(70 * Toy.Classes));
        int correct = Enumerable.Range(0, 70).Count(i =>
        {
            float[] row = outputs[(i * Toy.Classes)..((i + 1) * Toy.Classes)];
            return Array.IndexOf(row, row.Max()) == data.LabelOf(i);
        });
        Assert.That(trainer.Evaluate(data).Accuracy, Is.EqualTo(correct / 70.0));
    }

    [Test]
    public void Regression_and_binary_targets_train_too()
    {
        float[] x = Enumerable.Range(0, 64).Select(i => i / 64f).ToArray();
        using (var line = new Trainer(new Sequential(new Dense(1)), Device, Loss.MeanSquaredError, new Adam(0.05f)))
        {
            Dataset data = Dataset.FromFloats(x, [1], x.Select(value => (3 * value) - 1).ToArray(), [1]);
            History history = line.Fit(data, epochs: 100, batchSize: 16);
            Assert.That(history.Epochs[^1].Loss, Is.LessThan(1e-3));
            Assert.That(history.Epochs[^1].Accuracy, Is.Null);
        }

        using var binary = new Trainer(new Sequential(new Dense(1)), Device, Loss.BinaryCrossEntropyWithLogits, new Adam(0.1f));
        Dataset halves = Dataset.FromFloats(x, [1], x.Select(value => value > 0.5f ? 1f : 0f).ToArray(), [1]);
        Assert.That(binary.Fit(halves, epochs: 100, batchSize: 16).Epochs[^1].Accuracy, Is.GreaterThan(0.95));
        Assert.That(binary.Evaluate(halves).Confusion!.Classes, Is.EqualTo(2));
    }

    [Test]
    public void Bad_arguments_are_refused()
    {
        using Trainer trainer = Toy.Trainer(Device);
        Assert.That(() => trainer.Fit(Toy.Points(8), epochs: 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => trainer.Fit(Toy.Points(8), batchSize: -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => trainer.Fit(Toy.Points(8), validationSplit: 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Adam(float.NaN), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Sgd(0.1f, nesterov: true), Throws.ArgumentException);
    }

    private sealed class Recorder : Callback
    {
        public List<BatchResult> Batches { get; } = [];

        public override void OnBatchEnd(Trainer trainer, in BatchResult result) => Batches.Add(result);
    }

    /// <summary>Hands another callback losses of its own choosing, and remembers the parameters after each epoch.</summary>
    private sealed class Script(params double[] losses) : Callback
    {
        private Callback? _fed;

        public List<float[]> ParametersAfter { get; } = [];

        public Script Feeding(Callback fed)
        {
            _fed = fed;
            return this;
        }

        public override void OnTrainBegin(Trainer trainer) => _fed!.OnTrainBegin(trainer);

        public override void OnEpochEnd(Trainer trainer, EpochResult result)
        {
            ParametersAfter.Add(Toy.Parameters(trainer.Model));
            _fed!.OnEpochEnd(trainer, result with { Loss = losses[result.Epoch - 1] });
        }

        public override void OnTrainEnd(Trainer trainer, History history) => _fed!.OnTrainEnd(trainer, history);
    }

    private sealed class CancelAt(CancellationTokenSource source, long step) : Callback
    {
        public override void OnBatchEnd(Trainer trainer, in BatchResult result)
        {
            if (result.Step == step)
            {
                source.Cancel();
            }
        }
    }
}
