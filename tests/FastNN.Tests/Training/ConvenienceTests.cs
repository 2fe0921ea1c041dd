using FastNN.Data;

namespace FastNN.Tests.Training;

/// <summary>Shorter ways to common things: no device, lambdas, lines on the console, a task, foreach.</summary>
internal sealed class ConvenienceTests : TrainingFixture
{
    [Test]
    public void A_trainer_without_a_device_trains_on_the_CPU_and_ends_it()
    {
        Device device;
        using (var trainer = new Trainer(Toy.Model(), Loss.SparseCrossEntropy, new Adam(0.01f), seed: 5))
        {
            device = trainer.Device;
            Assert.That(device.Kind, Is.EqualTo("cpu"));
            trainer.Fit(Toy.Points(32));
        }

        Assert.That(
            () => new Trainer(Toy.Model(), device, Loss.SparseCrossEntropy, new Adam()),
            Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Lambdas_are_called_after_epochs_and_steps_and_may_stop_training()
    {
        var epochs = new List<int>();
        var steps = new List<long>();
        using Trainer trainer = Toy.Trainer(Device);
        History history = trainer.Fit(
            Toy.Points(40), epochs: 5, batchSize: 20,
            callbacks:
            [
                Callback.OnEpochEnd(result => epochs.Add(result.Epoch)),
                Callback.OnBatchEnd(result => steps.Add(result.Step)),
                Callback.OnEpochEnd((running, result) =>
                {
                    if (result.Epoch == 2)
                    {
                        running.Stop();
                    }
                }),
            ]);
        Assert.That(epochs, Is.EqualTo(new[] { 1, 2 }));
        Assert.That(steps, Is.EqualTo(new long[] { 1, 2, 3, 4 }));
        Assert.That(history.StoppedEarly);
    }

    [Test]
    public void Progress_is_a_line_per_epoch_and_on_request_one_per_some_steps()
    {
        using var text = new StringWriter { NewLine = "\n" };
        using Trainer trainer = Toy.Trainer(Device);
        trainer.Fit(Toy.Points(50), epochs: 2, batchSize: 10, callbacks: [new ConsoleProgress(text, every: 2)]);
        string[] lines = text.ToString().TrimEnd('\n').Split('\n');
        Assert.That(lines, Has.Length.EqualTo(6));
        Assert.That(lines[1], Does.Match(@"^epoch 1, step 4 of 5: loss \d\.\d{4}, accuracy \d+\.\d\d %$"));
        Assert.That(lines[5], Does.Match(@"^epoch 2: loss \d\.\d{4}, accuracy \d+\.\d\d %, \d+\.\d s$"));
        Assert.That(() => new ConsoleProgress(every: -1), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public async Task FitAsync_reports_epochs_and_gives_the_weights_of_Fit()
    {
        var reported = new Reports();
        using Trainer one = Toy.Trainer(Device), two = Toy.Trainer(Device);
        History history = await one.FitAsync(Toy.Points(40), epochs: 3, batchSize: 10, progress: reported);
        two.Fit(Toy.Points(40), epochs: 3, batchSize: 10);
        Assert.That(reported.Epochs, Is.EqualTo(history.Epochs));
        Near.SameBits(Toy.Parameters(two.Model), Toy.Parameters(one.Model));
    }

    [Test]
    public void FitAsync_is_cancelled_by_its_token()
    {
        using var source = new CancellationTokenSource();
        using Trainer trainer = Toy.Trainer(Device);
        Task<History> task = trainer.FitAsync(
            Toy.Points(40), epochs: 1000, callbacks: [Callback.OnEpochEnd(_ => source.Cancel())],
            cancellationToken: source.Token);
        Assert.That(async () => await task, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(task.IsCanceled);
        Assert.That(trainer.StepCount, Is.Positive);
    }

    [Test]
    public void Predictions_for_a_dataset_can_be_cancelled()
    {
        using Trainer trainer = Toy.Trainer(Device);
        Assert.That(
            () => trainer.Predict(Toy.Points(8), cancellationToken: new CancellationToken(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Each_foreach_over_a_loader_is_the_next_epoch()
    {
        using DataLoader loader = new(Toy.Points(10), 4, seed: 2), plain = new(Toy.Points(10), 4, seed: 2);
        for (int epoch = 1; epoch <= 3; epoch++)
        {
            var seen = new List<int>();
            foreach (Batch batch in loader)
            {
                seen.AddRange(batch.Examples);
            }

            var expected = new List<int>();
            plain.StartEpoch(epoch);
            while (plain.TryNext(out Batch batch))
            {
                expected.AddRange(batch.Examples);
            }

            Assert.That(seen, Is.EqualTo(expected));
        }
    }

    [Test]
    public void Examples_are_kept_by_a_condition()
    {
        Dataset all = Toy.Points(40), some = all.Where(example => example.Label is 1 or 3);
        Assert.That(some.Count, Is.EqualTo(all.Count(example => example.Label is 1 or 3)));
        Assert.That(some.Select(example => example.Label), Is.All.EqualTo(1).Or.EqualTo(3));
        Assert.That(() => all.Where(_ => false), Throws.ArgumentException.With.Message.Contains("none"));
    }

    [Test]
    public void Targets_are_standardized_and_predictions_taken_back()
    {
        float[] targets = [100, 5, 300, 5, 500, 5];
        Dataset arrays = Dataset.FromFloats([1, 2, 3], [1], targets, [2]);
        Dataset source = arrays.Concat(arrays).Take(3);
        foreach (Dataset data in (Dataset[])[arrays, source])
        {
            Standardizer standardizer = Standardizer.FitTargets(data);
            Assert.That(standardizer.Mean.ToArray(), Is.EqualTo(new float[] { 300, 5 }));
            Dataset standardized = standardizer.ApplyToTargets(data);
            float[] values = [.. standardized.SelectMany(example => example.Target)];
            float one = MathF.Sqrt(1.5f);
            Assert.That(values, Is.EqualTo(new[] { -one, 0, 0, 0, one, 0 }).Within(1e-6f));
            Assert.That(standardized.Skip(2)[0].Target[0], Is.EqualTo(one).Within(1e-6f), "a view has its own rows");
            standardizer.Invert(values);
            Assert.That(values, Is.EqualTo(targets).Within(1e-4f));
        }

        Assert.That(targets[0], Is.EqualTo(100), "the arrays given are as they were");
        Assert.That(() => Standardizer.FitTargets(Toy.Points(4)), Throws.ArgumentException.With.Message.Contains("classes"));
        Assert.That(
            () => Standardizer.FitTargets(Toy.Points(4).OneHot()), Throws.ArgumentException.With.Message.Contains("classes"));
    }

    private sealed class Reports : IProgress<EpochResult>
    {
        public List<EpochResult> Epochs { get; } = [];

        public void Report(EpochResult value) => Epochs.Add(value);
    }
}
