namespace FastNN.Tests.Metrics;

/// <summary>The exact area under the curve; the one from thresholds is in <see cref="MetricFixture"/>, on every device.</summary>
internal sealed class RocAucTests
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
