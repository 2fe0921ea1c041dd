using FastNN.Formats;

namespace FastNN.Tests.Training;

/// <summary>What a checkpoint makes its reader allocate, and that nothing is replaced before all of it was checked.</summary>
internal sealed class CheckpointMemoryTests : TrainingFixture
{
    [Test]
    public void Loading_allocates_at_most_twice_the_file()
    {
        string path = PathOf("run.safetensors");
        using Trainer trainer = Large();
        trainer.TrainBatch(new float[600], new float[500]);
        trainer.SaveCheckpoint(path);
        long file = new FileInfo(path).Length;
        Assert.That(file, Is.GreaterThan(3_000_000));
        trainer.LoadCheckpoint(path);
        long before = GC.GetAllocatedBytesForCurrentThread();
        trainer.LoadCheckpoint(path);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThanOrEqualTo(2 * file));
    }

    [Test]
    public void A_file_cut_short_allocates_no_more_and_changes_nothing()
    {
        string path = PathOf("run.safetensors");
        using Trainer trainer = Large();
        trainer.TrainBatch(new float[600], new float[500]);
        trainer.SaveCheckpoint(path);
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..^1000]);
        float[] parameters = Toy.Parameters(trainer.Model);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => trainer.LoadCheckpoint(path), Throws.TypeOf<FileFormatException>());
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1_000_000));
        Near.SameBits(parameters, Toy.Parameters(trainer.Model));
    }

    [Test]
    public void Tensors_that_the_model_does_not_have_are_refused()
    {
        string path = PathOf("run.safetensors"), other = PathOf("other.safetensors");
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        trainer.Fit(Toy.Points(16));
        trainer.SaveCheckpoint(path);
        Rewrite(path, other, writer => writer.Add("model.more.weight", [2], new float[] { 1, 2 }));
        RequireUnchanged(trainer, other, "model.more.weight");
    }

    [Test]
    public void A_callback_s_malformed_state_is_found_before_parameters_are_replaced()
    {
        string path = PathOf("run.safetensors"), other = PathOf("other.safetensors");
        var stopping = new EarlyStopping(patience: 2, restoreBest: true, monitor: MonitoredValue.Loss);
        using Trainer trainer = Toy.Trainer(Device, Toy.Built());
        trainer.Fit(Toy.Points(16), callbacks: [stopping]);
        trainer.SaveCheckpoint(path);
        trainer.Fit(Toy.Points(16));
        Rewrite(path, other, writer => writer.SetMetadata("callback/FastNN.EarlyStopping#0/waited", "-7"));
        RequireUnchanged(trainer, other, "waited", stopping);
    }

    private static void RequireUnchanged(Trainer trainer, string path, string named, params Callback[] callbacks)
    {
        float[] parameters = Toy.Parameters(trainer.Model);
        long steps = trainer.StepCount;
        Assert.That(
            () => trainer.LoadCheckpoint(path, callbacks), Throws.TypeOf<FileFormatException>().With.Message.Contains(named));
        Near.SameBits(parameters, Toy.Parameters(trainer.Model));
        Assert.That((trainer.StepCount, trainer.IsResuming), Is.EqualTo((steps, false)));
    }

    private static void Rewrite(string from, string to, Action<SafetensorsWriter> change)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(from);
        var writer = new SafetensorsWriter();
        foreach ((string key, string value) in reader.Metadata)
        {
            writer.SetMetadata(key, value);
        }

        foreach (SafetensorsTensor tensor in reader.Tensors)
        {
            writer.Add(tensor.Name, tensor.Shape, reader.ReadSingles(tensor.Name));
        }

        change(writer);
        writer.Save(to);
    }

    private Trainer Large()
    {
        var model = new Sequential(new Dense(500), new Dense(500));
        model.Build([600], seed: 1);
        return new Trainer(model, Device, Loss.MeanSquaredError, new Adam());
    }
}
