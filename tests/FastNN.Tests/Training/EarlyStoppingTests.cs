using FastNN.Data;

namespace FastNN.Tests.Training;

internal sealed class EarlyStoppingTests : TrainingFixture
{
    [Test]
    public void Buffers_of_the_best_epoch_come_back_with_its_weights()
    {
        Dataset data = Toy.Points(64);
        Sequential model = Normalized();
        using Trainer trainer = Toy.Trainer(Device, model);
        var watch = new Watch();
        var stopping = new EarlyStopping(patience: 2, restoreBest: true, monitor: MonitoredValue.Loss);
        trainer.Fit(data, epochs: 6, batchSize: 16, callbacks: [watch.Feeding(stopping)]);
        Assert.That(stopping.BestEpoch, Is.EqualTo(3));
        Assert.That(stopping.StoppedEpoch, Is.EqualTo(5));
        Near.SameBits(watch.After[2], All(model));
        Assert.That(
            Buffers(watch.Model!), Is.Not.EqualTo(watch.BuffersAfter[^1]), "the last epoch's running statistics were others");
        Assert.That(Buffers(watch.Model!), Is.EqualTo(watch.BuffersAfter[2]));
    }

    [Test]
    public void A_resumed_run_restores_what_was_best_before_it_was_interrupted_whatever_is_frozen_then()
    {
        Dataset data = Toy.Points(64);
        string checkpoint = PathOf("run.st");
        Sequential first = Normalized();
        float[] best = [];
        using (Trainer trainer = Toy.Trainer(Device, first))
        {
            var watch = new Watch();
            var save = new Save(checkpoint, epoch: 4);
            trainer.Fit(
                data, epochs: 4, batchSize: 16,
                callbacks: [
                    watch.Feeding(new EarlyStopping(patience: 9, restoreBest: true, monitor: MonitoredValue.Loss)), save]);
            best = watch.After[2];
        }

        // Another order of sections on the device: what is frozen lies behind what is not.
        Sequential second = Normalized();
        second.Layers[0].IsTrainable = false;
        using Trainer resumed = Toy.Trainer(Device, second);
        second.Layers[0].IsTrainable = true;
        resumed.LoadCheckpoint(checkpoint);
        resumed.Fit(
            data, epochs: 6, batchSize: 16,
            callbacks: [new Watch().Feeding(new EarlyStopping(patience: 9, restoreBest: true, monitor: MonitoredValue.Loss))]);
        Near.SameBits(best, All(second));
    }

    [Test]
    public void A_snapshot_that_does_not_fit_the_model_is_refused_before_training_goes_on()
    {
        var state = new CallbackState();
        state.Numbers["best"] = 1;
        state.Numbers["waited"] = 0;
        state.Numbers["bestEpoch"] = 0;
        state.Arrays["weights"] = [1, 2, 3];
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        var stopping = new EarlyStopping(restoreBest: true);
        trainer.TrainBatch([0f, 0f], [0]);
        stopping.OnTrainBegin(trainer);
        Assert.That(
            () => stopping.LoadState(state),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("116").And.Message.Contains("3"));
        state.Arrays["weights"] = new float[116];
        state.Arrays["weights"][7] = float.NaN;
        Assert.That(() => stopping.LoadState(state), Throws.TypeOf<FileFormatException>().With.Message.Contains("finite"));
        Assert.That(stopping.BestEpoch, Is.Zero, "nothing was taken over");
    }

    private static Sequential Normalized()
    {
        var model = new Sequential(
            new Dense(8) { Name = "hidden" }, new BatchNorm1D { Name = "norm" }, new Dense(Toy.Classes) { Name = "logits" });
        model.Build(new Shape(2), 5);
        return model;
    }

    private static float[] All(Layer model) => [.. Toy.Parameters(model), .. Buffers(model)];

    private static float[] Buffers(Layer model) => [.. model.Buffers.SelectMany(buffer =>
    {
        var values = new float[buffer.Count];
        buffer.Read(values);
        return values;
    })];

    /// <summary>
    /// Hands another callback losses of which the third is the best, and remembers everything after each epoch.
    /// </summary>
    private sealed class Watch : Callback
    {
        private Callback? _fed;

        public Layer? Model { get; private set; }

        public List<float[]> After { get; } = [];

        public List<float[]> BuffersAfter { get; } = [];

        public Watch Feeding(Callback fed)
        {
            _fed = fed;
            return this;
        }

        public override void OnTrainBegin(Trainer trainer) => _fed!.OnTrainBegin(trainer);

        public override void OnEpochEnd(Trainer trainer, EpochResult result)
        {
            Model = trainer.Model;
            After.Add(All(trainer.Model));
            BuffersAfter.Add(Buffers(trainer.Model));
            _fed!.OnEpochEnd(trainer, result with { Loss = Math.Abs(result.Epoch - 3) });
        }

        public override void OnTrainEnd(Trainer trainer, History history) => _fed!.OnTrainEnd(trainer, history);

        public override void SaveState(CallbackState state) => _fed!.SaveState(state);

        public override void LoadState(CallbackState state) => _fed!.LoadState(state);
    }

    private sealed class Save(string path, int epoch) : Callback
    {
        public override void OnEpochEnd(Trainer trainer, EpochResult result)
        {
            if (result.Epoch == epoch)
            {
                trainer.SaveCheckpoint(path);
            }
        }
    }
}
