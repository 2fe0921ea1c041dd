using FastNN.Formats;

namespace FastNN.Tests.Training;

/// <summary>A checkpoint's numbers are checked before anything is replaced, and its callbacks are known by their type.</summary>
internal sealed class CheckpointNumbersTests : TrainingFixture
{
    [TestCase("step", "-1")]
    [TestCase("step", "1e300")]
    [TestCase("step", "NaN")]
    [TestCase("learningRate", "NaN")]
    [TestCase("learningRate", "-1")]
    [TestCase("learningRate", "1e300")]
    [TestCase("epoch", "-2147483649")]
    [TestCase("batch", "-1")]
    [TestCase("batch", "NaN")]
    [TestCase("shuffleEpoch", "-1")]
    [TestCase("seen", "-5")]
    [TestCase("lossSum", "Infinity")]
    [TestCase("correct", "0.5")]
    [TestCase("hasClasses", "2")]
    public void A_number_that_no_run_can_have_is_named_and_changes_nothing(string key, string value)
    {
        string path = Checkpoint([]);
        string bad = PathOf("bad.st");
        using (SafetensorsReader reader = SafetensorsReader.Open(path))
        {
            var writer = new SafetensorsWriter();
            foreach ((string name, string text) in reader.Metadata)
            {
                writer.SetMetadata(name, name == key ? value : text);
            }

            foreach (SafetensorsTensor tensor in reader.Tensors)
            {
                writer.Add(
                    tensor.Name, Array.ConvertAll([.. tensor.Shape], extent => (int)extent), reader.ReadSingles(tensor.Name));
            }

            writer.Save(bad);
        }

        Sequential model = Toy.Built();
        float[] before = Toy.Parameters(model);
        using Trainer trainer = Toy.Trainer(Device, model);
        Assert.That(
            () => trainer.LoadCheckpoint(bad),
            Throws.TypeOf<FileFormatException>().With.Message.Contains(key).And.Message.Contains(value));
        Near.SameBits(before, Toy.Parameters(model));
        Assert.That(trainer.StepCount, Is.Zero);
        trainer.LoadCheckpoint(path);
        Assert.That(trainer.StepCount, Is.EqualTo(4));
    }

    [Test]
    public void Callbacks_in_another_order_or_number_get_their_own_state_or_none()
    {
        string path = Checkpoint([new ModelCheckpoint(PathOf("m.st"), bestOnly: true, monitor: MonitoredValue.Loss)]);
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        trainer.LoadCheckpoint(path);
        History history = trainer.Fit(
            Toy.Points(64), 3, 16,
            callbacks: [
                new EarlyStopping(5, monitor: MonitoredValue.Loss),
                new ModelCheckpoint(PathOf("m.st"), bestOnly: true, monitor: MonitoredValue.Loss)]);
        Assert.That(history.Epochs, Has.Count.EqualTo(3));
    }

    private string Checkpoint(IReadOnlyList<Callback> callbacks)
    {
        string path = PathOf("run.st");
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        trainer.Fit(Toy.Points(64), 1, 16, callbacks: callbacks);
        trainer.SaveCheckpoint(path);
        return path;
    }
}
