using FastNN.Data;

namespace FastNN.Tests.Training;

/// <summary>Range tests of learning rates.</summary>
internal sealed class LearningRateSearchTests
{
    [Test]
    public void Rates_grow_by_a_factor_and_the_loss_falls_where_it_is_steepest()
    {
        LearningRateSearch search = Run(new Sgd(1), 1e-4f, 10, 60);
        Assert.Multiple(() =>
        {
            Assert.That(search.Steps[0].LearningRate, Is.EqualTo(1e-4f));
            float factor = search.Steps[1].LearningRate / search.Steps[0].LearningRate;
            for (int i = 1; i < search.Steps.Count; i++)
            {
                Assert.That(search.Steps[i].LearningRate / search.Steps[i - 1].LearningRate, Is.EqualTo(factor).Within(1e-3));
            }

            Assert.That(search.Steepest, Is.InRange(1e-3f, 10f).And.LessThanOrEqualTo(search.Lowest));
        });
    }

    [Test]
    public void It_ends_where_training_breaks_down()
    {
        LearningRateSearch search = Run(new Sgd(1), 1e-3f, 1e8f, 100);
        Assert.That(search.Diverged);
        Assert.That(search.Steps, Has.Count.LessThan(100));
        Assert.That(search.Lowest, Is.LessThan(search.Steps[^1].LearningRate));
    }

    [Test]
    public void Bad_ranges_schedules_and_data_are_named() => Assert.Multiple(() =>
    {
        Assert.That(() => Run(new Sgd(1), 1, 0.1f, 20), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => Run(new Sgd(1), 1e-3f, 1, 5), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => Run(new Sgd(1) { Schedule = Schedule.Cosine(1, steps: 10) }, 1e-3f, 1, 20),
            Throws.ArgumentException.With.Message.Contains("without a schedule"));
        Assert.That(
            () => Run(new Sgd(1), 1e-3f, 1, 20, batch: 1000), Throws.ArgumentException.With.Message.Contains("a batch of 1000"));
    });

    private static LearningRateSearch Run(Optimizer optimizer, float low, float high, int steps, int batch = 16)
    {
        var random = new Random(2);
        float[] points = [.. Enumerable.Range(0, 2 * 64).Select(_ => (2 * random.NextSingle()) - 1)];
        float[] targets = [.. Enumerable.Range(0, 64).Select(i => (3 * points[2 * i]) - points[(2 * i) + 1])];
        using var device = Device.Cpu(1);
        var model = new Sequential(new Dense(1));
        model.Build([2], seed: 1);
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, optimizer, seed: 1);
        return LearningRateSearch.Run(trainer, Dataset.FromFloats(points, [2], targets, [1]), batch, low, high, steps);
    }
}
