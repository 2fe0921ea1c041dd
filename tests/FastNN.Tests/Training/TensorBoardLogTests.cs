using FastNN.Tests.Formats;

namespace FastNN.Tests.Training;

internal sealed class TensorBoardLogTests : TrainingFixture
{
    [Test]
    public void Steps_and_epochs_are_written_and_validation_beside_them()
    {
        using Trainer trainer = Toy.Trainer(Device);
        var steps = new List<BatchResult>();
        using var log = new TensorBoardLog(PathOf("run"));
        History history = trainer.Fit(
            Toy.Points(40), epochs: 2, batchSize: 10, validation: Toy.Points(20, seed: 4), metrics: [Metric.F1],
            callbacks: [log, Callback.OnBatchEnd(steps.Add)]);
        var run = Scalars("run");
        var validation = Scalars("run", "validation");
        Assert.Multiple(() =>
        {
            Assert.That(log.Writer, Is.Null);
            Assert.That(run["step/loss"], Is.EqualTo(steps.Select(step => (step.Step, step.Loss))));
            Assert.That(run["step/learning_rate"], Is.EqualTo(steps.Select(step => (step.Step, 0.01f))));
            Assert.That(run["epoch/loss"], Is.EqualTo(Of(epoch => epoch.Loss)));
            Assert.That(run["epoch/accuracy"], Is.EqualTo(Of(epoch => epoch.Accuracy)));
            Assert.That(run["epoch/F1"], Is.EqualTo(Of(epoch => epoch.Metrics["F1"])));
            Assert.That(run["epoch/seconds"], Is.EqualTo(Of(epoch => epoch.Duration.TotalSeconds)));
            Assert.That(run["epoch/number"], Is.EqualTo(Of(epoch => epoch.Epoch)));
            Assert.That(run["epoch/learning_rate"], Is.EqualTo(Of(epoch => epoch.LearningRate)));
            Assert.That(validation["epoch/loss"], Is.EqualTo(Of(epoch => epoch.ValidationLoss)));
            Assert.That(validation["epoch/accuracy"], Is.EqualTo(Of(epoch => epoch.ValidationAccuracy)));
            Assert.That(validation["epoch/F1"], Is.EqualTo(Of(epoch => epoch.ValidationMetrics["F1"])));
            Assert.That(validation, Has.Count.EqualTo(3));
            Assert.That(
                EventReader.Values(PathOf("run")).Single(value => value.Value.Get<string>("tag") == "model").Value["tensor"]
                    .All<string>("string_val").Single(),
                Is.EqualTo(trainer.Model.Summary(SummaryFormat.Markdown)));
            Assert.That(Files("run").SelectMany(EventReader.ReadFile).Count(read => read.Has("graph_def")), Is.EqualTo(1));
        });
        IEnumerable<(long, float)> Of(Func<EpochResult, double?> number) =>
            history.Epochs.Select(epoch => (4L * epoch.Epoch, (float)number(epoch)!.Value));
    }

    [Test]
    public void Distributions_of_weights_and_gradients_are_written_where_they_are_asked_for()
    {
        Sequential model = Toy.Built();
        model.Layers[0].IsTrainable = false;
        using Trainer trainer = Toy.Trainer(Device, model, new Sgd(0.1f));
        using var log = new TensorBoardLog(PathOf("run"))
        {
            WithWeights = true,
            WithGradients = true,
            WithModel = false,
            Every = 0,
        };
        var before = new float[4];
        model.NamedParameters[3].Parameter.Read(before);
        trainer.Fit(Toy.Points(10), batchSize: 10, callbacks: [log]);
        var after = new float[4];
        model.NamedParameters[3].Parameter.Read(after);
        var histograms = EventReader.Values(PathOf("run")).Where(value => value.Value.Has("histo"))
            .ToDictionary(value => value.Value.Get<string>("tag"), value => value.Value["histo"]);
        Assert.Multiple(() =>
        {
            Assert.That(histograms.Keys, Is.EquivalentTo(new[]
            {
                "weights/hidden.weight", "weights/hidden.bias", "weights/logits.weight", "weights/logits.bias",
                "gradients/logits.weight", "gradients/logits.bias",
            }));
            Assert.That(histograms["weights/logits.bias"].Get<double>("max"), Is.EqualTo((double)after.Max()));

            // One update of plain gradient descent: the difference is the gradient times the rate.
            Assert.That(
                histograms["gradients/logits.bias"].Get<double>("max"),
                Is.EqualTo(before.Zip(after, (b, a) => (b - a) / 0.1).Max()).Within(1e-5));
            Assert.That(Scalars("run").Keys.Where(tag => tag.StartsWith("step/", StringComparison.Ordinal)), Is.Empty);
        });
    }

    [Test]
    public void A_resumed_run_says_from_which_step_it_goes_on()
    {
        string checkpoint = PathOf("run.st");
        using (Trainer first = Toy.Trainer(Device))
        {
            using var log = new TensorBoardLog(PathOf("run"));
            first.Fit(
                Toy.Points(40), epochs: 1, batchSize: 10, validation: Toy.Points(8),
                callbacks: [log, Callback.OnEpochEnd((trainer, _) => trainer.SaveCheckpoint(checkpoint))]);
        }

        using Trainer resumed = Toy.Trainer(Device, Toy.Built());
        resumed.LoadCheckpoint(checkpoint);
        using var again = new TensorBoardLog(PathOf("run"));
        resumed.Fit(Toy.Points(40), epochs: 2, batchSize: 10, validation: Toy.Points(8), callbacks: [again]);
        foreach (string folder in (string[])["run", Path.Combine("run", "validation")])
        {
            string[] files = Files(folder);
            Assert.That(files, Has.Length.EqualTo(2));
            Assert.That(EventReader.ReadFile(files[0]).Exists(read => read.Has("session_log")), Is.False);
            Assert.That(EventReader.ReadFile(files[1])[1].Has("session_log"));
            Assert.That(EventReader.ReadFile(files[1])[1].Get<long>("step"), Is.EqualTo(5));
        }

        Assert.That(Scalars("run")["step/loss"].Select(value => value.Step), Is.EqualTo(new long[] { 1, 2, 3, 4, 5, 6, 7, 8 }));
        Assert.That(Scalars("run")["epoch/number"], Is.EqualTo(new[] { (4L, 1f), (8, 2) }));
    }

    [TestCase(false, 1)]
    [TestCase(true, 2)]
    public void Hyperparameters_end_with_how_training_ended(bool fails, int status)
    {
        using Trainer trainer = Toy.Trainer(Device);
        using (var log = new TensorBoardLog(PathOf("run"))
        {
            Hyperparameters = new Dictionary<string, Hyperparameter> { ["rate"] = 0.01 },
        })
        {
            Callback failing = Callback.OnEpochEnd(_ => throw new InvalidOperationException("killed"));
            void Fit() => trainer.Fit(Toy.Points(20), callbacks: fails ? [log, failing] : [log]);
            Assert.That(Fit, fails ? Throws.InvalidOperationException : Throws.Nothing);
        }

        EventMessage[] contents = [.. EventReader.Values(PathOf("run"))
            .Where(value => value.Value.Get<string>("tag").StartsWith("_hparams_", StringComparison.Ordinal))
            .Select(value => value.Value["metadata"]["plugin_data"]["content"])];
        Assert.That(
            contents.SelectMany(content => content.Names), Is.EqualTo(new[] { "session_start_info", "session_end_info" }));
        Assert.That(contents[1]["session_end_info"].Get<long>("status"), Is.EqualTo(status));
    }

    [Test]
    public void Training_is_bit_for_bit_as_without_it()
    {
        Sequential[] models = [Toy.Built(), Toy.Built()];
        using var log = new TensorBoardLog(PathOf("run")) { WithWeights = true, WithGradients = true };
        foreach ((Sequential model, Callback[] callbacks) in models.Zip((Callback[][])[[], [log]]))
        {
            using Trainer trainer = Toy.Trainer(Device, model);
            trainer.Fit(Toy.Points(40), epochs: 2, batchSize: 10, callbacks: callbacks);
        }

        Assert.That(Toy.Parameters(models[1]), Is.EqualTo(Toy.Parameters(models[0])));
    }

    [Test]
    public void Other_callbacks_may_add_to_the_file_while_training_runs()
    {
        using Trainer trainer = Toy.Trainer(Device);
        using var log = new TensorBoardLog(PathOf("run"));
        trainer.Fit(
            Toy.Points(20), epochs: 2,
            callbacks: [log, Callback.OnEpochEnd(result => log.Writer!.AddText("note", $"{result.Epoch}", result.Epoch))]);
        Assert.That(
            EventReader.Values(PathOf("run")).Count(value => value.Value.Get<string>("tag") == "note"), Is.EqualTo(2));
    }

    private string[] Files(string folder) => [.. Directory.GetFiles(PathOf(folder), "*tfevents*").Order(StringComparer.Ordinal)];

    private Dictionary<string, List<(long Step, float Value)>> Scalars(params string[] folder) =>
        EventReader.Values(PathOf(Path.Combine(folder))).Where(value => value.Value.Has("simple_value"))
            .GroupBy(value => value.Value.Get<string>("tag"))
            .ToDictionary(
                group => group.Key,
                group => group.Select(value => (value.Step, value.Value.Get<float>("simple_value"))).ToList());
}
