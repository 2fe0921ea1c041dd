namespace FastNN;

/// <summary>One threshold of a <see cref="RocCurve"/>: examples whose score is at least it count as positive.</summary>
/// <param name="Threshold">The score; positive infinity for the first point, where nothing counts as positive.</param>
/// <param name="FalsePositiveRate">Share of the negative examples that count as positive, 0 to 1.</param>
/// <param name="TruePositiveRate">Share of the positive examples that count as positive, 0 to 1.</param>
public readonly record struct RocPoint(float Threshold, double FalsePositiveRate, double TruePositiveRate);

/// <summary>
/// The receiver operating characteristic of scores: for every threshold, how many negative and positive examples lie above it, as
/// scikit-learn's roc_curve with all thresholds kept.
/// </summary>
public sealed class RocCurve
{
    private readonly RocPoint[] _points;

    /// <summary>The curve of scores.</summary>
    /// <param name="scores">Any numbers that are greater the more likely an example is positive, [N].</param>
    /// <param name="labels">1 for positive and 0 for negative examples, [N].</param>
    /// <exception cref="ArgumentException">The lengths differ, a label is neither 0 nor 1, a score is NaN, or there are not both
    /// positive and negative examples.</exception>
    public RocCurve(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels)
    {
        IReadOnlyList<ScoreCounts> counts = ScoreCounts.Of(scores, labels, nameof(RocCurve));
        ScoreCounts all = counts[^1];
        if (all.Positives == 0 || all.Negatives == 0)
        {
            throw new ArgumentException(
                $"RocCurve: expected positive and negative examples, got {all.Positives} and {all.Negatives}.", nameof(labels));
        }

        _points =
        [
            new RocPoint(float.PositiveInfinity, 0, 0),
            .. counts.Select(count => new RocPoint(
                count.Threshold, (double)count.Negatives / all.Negatives, (double)count.Positives / all.Positives)),
        ];
        for (int i = 1; i < _points.Length; i++)
        {
            RocPoint from = _points[i - 1], to = _points[i];
            Area += (to.FalsePositiveRate - from.FalsePositiveRate) * (to.TruePositiveRate + from.TruePositiveRate) / 2;
        }
    }

    /// <summary>The curve of one class against all others.</summary>
    /// <param name="scores">Logits or probabilities, [N, classes].</param>
    /// <param name="labels">The class of each example, [N].</param>
    /// <param name="class">The class that counts as positive.</param>
    /// <returns>The curve.</returns>
    /// <exception cref="ArgumentException">As for the constructor; or there are not as many scores for every example, or the
    /// class has none.</exception>
    public static RocCurve OfClass(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels, int @class)
    {
        (float[] column, int[] isClass) = ScoreCounts.Column(scores, labels, @class, nameof(RocCurve));
        return new RocCurve(column, isClass);
    }

    /// <summary>The points from (0, 0) to (1, 1), one for each different score behind the first.</summary>
    public IReadOnlyList<RocPoint> Points => _points;

    /// <summary>The area under the curve: 1 where every positive example has a greater score than every negative, 0.5 for
    /// chance.</summary>
    public double Area { get; }
}
