using FastNN.Data;

namespace FastNN.Tests.Training;

/// <summary>A run that was interrupted and resumed gives the bits of one that was not.</summary>
internal sealed class ResumeTests : TrainingFixture
{
    private const int Epochs = 4;
    private const int BatchSize = 16;

    // 100 examples make 7 batches, the last of 4.
    private static readonly Dataset Data = Toy.Points(100);

    [TestCase(7, Description = "between two epochs")]
    [TestCase(10, Description = "in the middle of one")]
    [TestCase(1, Description = "after the first step")]
    public void A_resumed_run_continues_bit_for_bit(int interruptAfter)
    {
        var (expected, expectedHistory) = Run(null, null);
        string checkpoint = PathOf("run.safetensors");
        using (Trainer interrupted = Trainer())
        {
            using var source = new CancellationTokenSource();
            Assert.That(
                () => interrupted.Fit(
                    Data, Epochs, BatchSize, validationSplit: 0, callbacks: Callbacks(interruptAfter, checkpoint, source),
                    cancellationToken: source.Token),
                Throws.InstanceOf<OperationCanceledException>());
        }

        var (resumed, history) = Run(checkpoint, null);
        Assert.That(resumed, Is.EqualTo(expected), "parameters");
        Assert.That(
            history.Epochs.Select(e => (e.Epoch, e.Loss, e.Accuracy)),
            Is.EqualTo(expectedHistory.Epochs.Select(e => (e.Epoch, e.Loss, e.Accuracy))));
    }

    [TestCaseSource(nameof(Optimizers))]
    public void Every_optimizer_continues_bit_for_bit(OptimizerCase @case)
    {
        string checkpoint = PathOf("optimizer.safetensors");
        float[] whole = Train(from: null);
        using (Trainer interrupted = Toy.Trainer(Device, Toy.Built(), @case.Create()))
        {
            using var source = new CancellationTokenSource();
            Assert.That(
                () => interrupted.Fit(
                    Data, 3, BatchSize, callbacks: [new Interruption(9, checkpoint, source)], cancellationToken: source.Token),
                Throws.InstanceOf<OperationCanceledException>());
        }

        Assert.That(Train(checkpoint), Is.EqualTo(whole));

        float[] Train(string? from)
        {
            using Trainer trainer = Toy.Trainer(Device, Toy.Built(), @case.Create());
            if (from is not null)
            {
                trainer.LoadCheckpoint(from);
            }

            trainer.Fit(Data, 3, BatchSize);
            return Toy.Parameters(trainer.Model);
        }
    }

    [Test]
    public void A_checkpoint_of_another_run_is_refused_and_changes_nothing()
    {
        string checkpoint = PathOf("run.safetensors");
        using (Trainer trainer = Trainer())
        {
            trainer.Fit(Data, 1, BatchSize);
            trainer.SaveCheckpoint(checkpoint);
        }

        Sequential model = Toy.Built();
        float[] before = Toy.Parameters(model);
        using (var otherOptimizer = Toy.Trainer(Device, model, new Sgd(0.1f)))
        {
            Assert.That(
                () => otherOptimizer.LoadCheckpoint(checkpoint),
                Throws.TypeOf<FileFormatException>().With.Message.Contains("Sgd"));
        }

        var wider = new Sequential(new Dense(17) { Name = "hidden" }, new Dense(Toy.Classes) { Name = "logits" });
        wider.Build(new Shape(2));
        using (Trainer otherModel = Toy.Trainer(Device, wider))
        {
            Assert.That(
                () => otherModel.LoadCheckpoint(checkpoint),
                Throws.TypeOf<FileFormatException>().With.Message.Contains("hidden.weight"));
        }

        using (Trainer weights = Toy.Trainer(Device, model))
        {
            Toy.Built().Save(PathOf("weights.safetensors"));
            Assert.That(
                () => weights.LoadCheckpoint(PathOf("weights.safetensors")),
                Throws.TypeOf<FileFormatException>().With.Message.Contains("checkpoint"));
        }

        Assert.That(Toy.Parameters(model), Is.EqualTo(before));
    }

    /// <summary>
    /// The file was written when the API still counted epochs from 0: a run stopped in its second epoch, the first being the
    /// best.
    /// </summary>
    [Test]
    public void A_checkpoint_from_before_epochs_counted_from_1_continues()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "Training", "Files", "checkpoint-2.safetensors");
        using (Trainer trainer = Trainer())
        {
            var stopping = new EarlyStopping(patience: 100, restoreBest: true, monitor: MonitoredValue.Loss);
            trainer.LoadCheckpoint(file, [stopping]);
            Assert.That((trainer.StepCount, stopping.BestEpoch), Is.EqualTo((10L, 1)));
        }

        var (expected, expectedHistory) = Run(null, null);
        var (resumed, history) = Run(file, null);
        Assert.That(history.Epochs.Select(epoch => epoch.Epoch), Is.EqualTo(new[] { 1, 2, 3, 4 }));
        Assert.That(history.Epochs[0].Duration, Is.EqualTo(TimeSpan.FromSeconds(0.1160068)));
        Assert.That(
            history.Epochs.Select(epoch => epoch.Loss),
            Is.EqualTo(expectedHistory.Epochs.Select(epoch => epoch.Loss)).Within(1e-5));
        Assert.That(
            resumed, Is.EqualTo(expected).Within(1e-5f),
            "within rounding: the file may come from a processor with other vectors");
    }

    [Test]
    public void There_is_nothing_to_save_before_the_first_step()
    {
        using Trainer trainer = Trainer();
        Assert.That(() => trainer.SaveCheckpoint(PathOf("x.safetensors")), Throws.InvalidOperationException);
        Assert.That(File.Exists(PathOf("x.safetensors")), Is.False);
    }

    private static IEnumerable<OptimizerCase> Optimizers => OptimizerCase.All;

    private Trainer Trainer()
    {
        // Dropout, so that the random stream has to continue too.
        return Toy.Trainer(Device, Toy.Built(dropout: 0.3f));
    }

    private static List<Callback> Callbacks(int interruptAfter, string? checkpoint, CancellationTokenSource? source) =>
        [
            new EarlyStopping(patience: 100, restoreBest: true, monitor: MonitoredValue.Loss),
            new Interruption(interruptAfter, checkpoint, source)];

    private (float[] Parameters, History History) Run(string? resumeFrom, CancellationTokenSource? source)
    {
        using Trainer trainer = Trainer();
        if (resumeFrom is not null)
        {
            trainer.LoadCheckpoint(resumeFrom);
        }

        History history = trainer.Fit(Data, Epochs, BatchSize, callbacks: Callbacks(int.MaxValue, null, source));
        return (Toy.Parameters(trainer.Model), history);
    }

    /// <summary>Saves and cancels after some step.</summary>
    private sealed class Interruption(int after, string? checkpoint, CancellationTokenSource? source) : Callback
    {
        public override void OnBatchEnd(Trainer trainer, in BatchResult result)
        {
            if (result.Step == after)
            {
                trainer.SaveCheckpoint(checkpoint!);
                source!.Cancel();
            }
        }
    }
}
