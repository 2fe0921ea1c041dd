namespace FastNN.Tests.Metrics;

internal sealed class MetricTests : MetricFixture
{
    protected override Device Open() => Device.Cpu(2);

    [Test]
    public void The_log_and_early_stopping_know_metrics_by_name()
    {
        string log = Path.GetTempFileName();
        using Device device = Open();
        using Trainer trainer = Toy.Trainer(device, Toy.Built());
        var stopping = new EarlyStopping(patience: 1, minDelta: 10, monitor: MonitoredValue.ValidationMetric("Top2"));
        trainer.Fit(
            Toy.Points(40), 3, 16, Toy.Points(20, seed: 9), callbacks: [new CsvLog(log), stopping], metrics: [new TopK(2)]);
        Assert.That(stopping.StoppedEpoch, Is.EqualTo(2));
        string[] lines = File.ReadAllLines(log);
        Assert.That(lines[0], Does.EndWith(",learning_rate,Top2,validation_Top2"));
        Assert.That(lines.Select(line => line.Split(',').Length), Is.All.EqualTo(9));
        Assert.That(
            () => trainer.Fit(
                Toy.Points(40), metrics: [new TopK(2)],
                callbacks: [new EarlyStopping(monitor: MonitoredValue.ValidationMetric("Top2"))]),
            Throws.InvalidOperationException.With.Message.Contains("validation data"));
        Assert.That(
            () => trainer.Fit(Toy.Points(40), callbacks: [new EarlyStopping(monitor: MonitoredValue.Metric("Top2"))]),
            Throws.InvalidOperationException.With.Message.Contains("Top2"));
        File.Delete(log);
    }

    [Test]
    public void A_step_with_metrics_allocates_nothing()
    {
        using Device device = Open();
        Sequential model = Toy.Built();
        using var weights = new DeviceWeights(device, model);
        using var step = new TrainingStep(weights, s =>
        {
            Value y = model.Apply(s.Input("x", [Dim.Batch, 2])), target = s.Input("labels", [Dim.Batch], DType.Int32);
            s.Loss("loss", Loss.SparseCrossEntropy.Apply(y, target));
            s.Metric("accuracy", Metric.Accuracy, y, target);
            s.Metric("top 2", new TopK(2), y, target);
        }, [(new Adam(), model.Parameters)]);
        float[] x = [0.5f, 0.5f, -0.5f, 0.5f, 0.25f, -0.75f];
        int[] labels = [3, 2, 1];
        void Step()
        {
            step.Write("x", x);
            step.Write("labels", labels);
            step.Run();
        }

        step.Begin([3, 2]);
        Step();
        Step();
        long least = long.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Step();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(least, Is.Zero);
    }
}
