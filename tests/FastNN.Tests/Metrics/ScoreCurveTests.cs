namespace FastNN.Tests.Metrics;

/// <summary>Curves of scores over their thresholds; the expected numbers are scikit-learn's.</summary>
internal sealed class ScoreCurveTests
{
    private static readonly float[] Scores = [0.1f, 0.4f, 0.35f, 0.8f];
    private static readonly int[] Labels = [0, 0, 1, 1];

    [Test]
    public void Points_of_a_ROC_curve_are_those_of_scikit_learn()
    {
        var curve = new RocCurve(Scores, Labels);
        Assert.That(curve.Points, Is.EqualTo(new[]
        {
            new RocPoint(float.PositiveInfinity, 0, 0), new RocPoint(0.8f, 0, 0.5), new RocPoint(0.4f, 0.5, 0.5),
            new RocPoint(0.35f, 0.5, 1), new RocPoint(0.1f, 1, 1),
        }));
        Assert.That(curve.Area, Is.EqualTo(0.75));
    }

    [Test]
    public void Points_of_precision_and_recall_are_those_of_scikit_learn()
    {
        var curve = new PrecisionRecallCurve(Scores, Labels);
        Assert.Multiple(() =>
        {
            Assert.That(curve.Points.Select(point => point.Precision), Is.EqualTo(new[] { 1, 0.5, 2 / 3.0, 0.5 }));
            Assert.That(curve.Points.Select(point => point.Recall), Is.EqualTo(new[] { 0.5, 0.5, 1, 1 }));
            Assert.That(curve.AveragePrecision, Is.EqualTo((0.5 * 1) + (0.5 * 2 / 3)).Within(1e-12));
            Assert.That(curve.PositiveShare, Is.EqualTo(0.5));
        });
    }

    [Test]
    public void The_area_is_that_of_the_exact_metric_with_ties()
    {
        var random = new Random(5);
        float[] scores = [.. Enumerable.Range(0, 500).Select(_ => random.Next(40) / 40f)];
        int[] labels = [.. scores.Select(score => random.NextSingle() < score ? 1 : 0)];
        Assert.That(new RocCurve(scores, labels).Area, Is.EqualTo(RocAuc.Exact(scores, labels)).Within(1e-12));
    }

    [Test]
    public void A_class_stands_against_all_others()
    {
        float[] scores = [0.7f, 0.2f, 0.1f, 0.1f, 0.8f, 0.1f, 0.3f, 0.3f, 0.4f, 0.5f, 0.2f, 0.3f];
        int[] labels = [0, 1, 2, 1];
        Assert.Multiple(() =>
        {
            Assert.That(RocCurve.OfClass(scores, labels, 0).Area, Is.EqualTo(1));
            Assert.That(
                PrecisionRecallCurve.OfClass(scores, labels, 1).AveragePrecision,
                Is.EqualTo(new PrecisionRecallCurve([0.2f, 0.8f, 0.3f, 0.2f], [0, 1, 0, 1]).AveragePrecision));
            Assert.That(
                () => RocCurve.OfClass(scores, labels, 3), Throws.ArgumentException.With.Message.Contains("and class 3"));
        });
    }

    [Test]
    public void Bad_scores_and_labels_are_named() => Assert.Multiple(() =>
    {
        Assert.That(() => new RocCurve([], []), Throws.ArgumentException.With.Message.Contains("at least one score"));
        Assert.That(() => new RocCurve([1, 2], [1]), Throws.ArgumentException.With.Message.Contains("2 scores and 1 labels"));
        Assert.That(() => new RocCurve([1, 2], [1, 2]), Throws.ArgumentException.With.Message.Contains("got 2 at position 1"));
        Assert.That(() => new RocCurve([1, float.NaN], [1, 0]), Throws.ArgumentException.With.Message.Contains("NaN"));
        Assert.That(() => new RocCurve([1, 2], [1, 1]), Throws.ArgumentException.With.Message.Contains("got 2 and 0"));
        Assert.That(
            () => new PrecisionRecallCurve([1, 2], [0, 0]),
            Throws.ArgumentException.With.Message.Contains("at least one positive"));
    });
}
