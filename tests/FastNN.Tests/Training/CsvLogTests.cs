namespace FastNN.Tests.Training;

internal sealed class CsvLogTests : TrainingFixture
{
    [Test]
    public void A_resumed_run_has_one_row_per_epoch_whatever_the_killed_one_had_logged()
    {
        // Killed behind the log's third row and in the midst of the fourth, with a checkpoint of the first epoch.
        string log = PathOf("log.csv"), checkpoint = PathOf("run.st");
        using (Trainer first = Toy.Trainer(Device))
        {
            first.Fit(Toy.Points(40), epochs: 1, batchSize: 10, callbacks: [new CsvLog(log)]);
        }

        using (Trainer second = Toy.Trainer(Device))
        {
            Assert.That(
                () => second.Fit(
                    Toy.Points(40), epochs: 3, batchSize: 10, callbacks: [new CsvLog(log), new SaveAndThrow(checkpoint)]),
                Throws.TypeOf<InvalidOperationException>());
        }

        File.AppendAllText(log, "3,0.5,0.5,,,0.001,0.01\n4,0.4,0.");
        using Trainer resumed = Toy.Trainer(Device, Toy.Built());
        resumed.LoadCheckpoint(checkpoint);
        resumed.Fit(Toy.Points(40), epochs: 4, batchSize: 10, callbacks: [new CsvLog(log)]);
        string[] lines = File.ReadAllLines(log);
        Assert.That(lines[0], Does.StartWith("epoch,loss"));
        Assert.That(lines.Skip(1).Select(line => line.Split(',')[0]), Is.EqualTo(new[] { "1", "2", "3", "4" }));
        Assert.That(lines.Select(line => line.Split(',').Length), Is.All.EqualTo(7));
    }

    [Test]
    public void A_fresh_run_begins_the_log_anew()
    {
        string log = PathOf("log.csv");
        File.WriteAllText(
            log, "epoch,loss,accuracy,validation_loss,validation_accuracy,seconds,learning_rate\n1,1,1,,,1,1\n2,1,1,,,1,1\n");
        using Trainer trainer = Toy.Trainer(Device);
        trainer.Fit(Toy.Points(20), callbacks: [new CsvLog(log)]);
        Assert.That(File.ReadAllLines(log), Has.Length.EqualTo(2));
    }

    /// <summary>Saves after the first epoch and fails after the second, behind the log's row.</summary>
    private sealed class SaveAndThrow(string path) : Callback
    {
        public override void OnEpochEnd(Trainer trainer, EpochResult result)
        {
            if (result.Epoch > 1)
            {
                throw new InvalidOperationException("killed");
            }

            trainer.SaveCheckpoint(path);
        }
    }
}
