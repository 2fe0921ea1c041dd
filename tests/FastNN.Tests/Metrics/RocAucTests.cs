using FastNN.Data;
using FastNN.Tests.Training;

namespace FastNN.Tests.Metrics;

/// <summary>The area under the curve, exact and from thresholds; perplexity.</summary>
internal sealed class RocAucTests : TrainingFixture
{
    [Test]
    public void The_exact_area_is_the_share_of_pairs_in_order()
    {
        var random = new Random(4);
        float[] scores = [.. Enumerable.Range(0, 101).Select(_ => random.Next(20) / 20f)];
        int[] labels = [.. scores.Select(score => random.NextDouble() < score ? 1 : 0)];
        Assert.That(RocAuc.Exact(scores, labels), Is.EqualTo(ByPairs(scores, labels)).Within(1e-12));
        Assert.That(RocAuc.Exact([0.1f, 0.9f], [1, 1]), Is.NaN);
        Assert.That(
            () => RocAuc.Exact([1], [2]), Throws.ArgumentException.With.Message.Contains("got 2 at position 0"));
        Assert.That(() => RocAuc.Exact([1], []), Throws.ArgumentException.With.Message.Contains("each of 1 scores, got 0"));
        Assert.That(() => RocAuc.Exact([float.NaN], [1]), Throws.ArgumentException.With.Message.Contains("got NaN"));
        Assert.That(
            () => new RocAuc(1), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("2 to 10000 thresholds"));
    }

    [Test]
    public void The_devices_area_is_near_the_exact_one_over_several_batches([Values] bool fromLogits)
    {
        var random = new Random(6);
        float[] scores = [.. Enumerable.Range(0, 300).Select(_ => (float)random.NextDouble())];
        int[] labels = [.. scores.Select(score => random.NextDouble() < score ? 1 : 0)];
        float[] given = fromLogits ? Array.ConvertAll(scores, score => MathF.Log(score / (1 - score))) : scores;
        Dataset data = Dataset.FromFloats(given, [1], Array.ConvertAll(labels, label => (float)label), [1]);
        using var trainer = new Trainer(
            new Sequential(new Flatten()), Device,
            fromLogits ? Loss.BinaryCrossEntropyWithLogits : Loss.BinaryCrossEntropy, new Sgd());
        Evaluation evaluation = trainer.Evaluate(data, batchSize: 64, metrics: [new RocAuc()]);
        Assert.That(evaluation.Metrics["RocAuc"], Is.EqualTo(ByPairs(scores, labels)).Within(3e-3));
    }

    [Test]
    public void Perplexity_is_e_to_the_mean_loss()
    {
        Dataset data = Toy.Points(50);
        using Trainer trainer = Toy.Trainer(Device);
        Evaluation evaluation = trainer.Evaluate(data, batchSize: 16, metrics: [Metric.Perplexity]);
        Assert.That(evaluation.Metrics["Perplexity"], Is.EqualTo(Math.Exp(evaluation.Loss)).Within(1e-5));
    }

    [Test]
    public void What_is_no_binary_classifier_is_refused()
    {
        using Trainer trainer = Toy.Trainer(Device);
        Assert.That(
            () => trainer.Evaluate(Toy.Points(8), metrics: [new RocAuc()]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("RocAuc: expected a single output"));
    }

    private static double ByPairs(float[] scores, int[] labels)
    {
        double sum = 0, pairs = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            for (int j = 0; j < scores.Length; j++)
            {
                if (labels[i] == 1 && labels[j] == 0)
                {
                    pairs++;
                    sum += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                }
            }
        }

        return sum / pairs;
    }
}
