namespace FastNN;

/// <summary>One threshold of a <see cref="PrecisionRecallCurve"/>: examples whose score is at least it count as
/// positive.</summary>
/// <param name="Threshold">The score.</param>
/// <param name="Precision">Share of those that are positive, 0 to 1.</param>
/// <param name="Recall">Share of the positive examples among them, 0 to 1.</param>
public readonly record struct PrecisionRecallPoint(float Threshold, double Precision, double Recall);

/// <summary>Precision and recall of scores for every threshold, as scikit-learn's precision_recall_curve gives them.</summary>
public sealed class PrecisionRecallCurve
{
    private readonly PrecisionRecallPoint[] _points;

    /// <summary>The curve of scores.</summary>
    /// <param name="scores">Any numbers that are greater the more likely an example is positive, [N].</param>
    /// <param name="labels">1 for positive and 0 for negative examples, [N].</param>
    /// <exception cref="ArgumentException">The lengths differ, a label is neither 0 nor 1, a score is NaN, or there is no
    /// positive example.</exception>
    public PrecisionRecallCurve(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels)
    {
        IReadOnlyList<ScoreCounts> counts = ScoreCounts.Of(scores, labels, nameof(PrecisionRecallCurve));
        ScoreCounts all = counts[^1];
        if (all.Positives == 0)
        {
            throw new ArgumentException(
                "PrecisionRecallCurve: expected at least one positive example, got none.", nameof(labels));
        }

        PositiveShare = (double)all.Positives / (all.Positives + all.Negatives);
        _points =
        [
            .. counts.Select(count => new PrecisionRecallPoint(
                count.Threshold, (double)count.Positives / (count.Positives + count.Negatives),
                (double)count.Positives / all.Positives)),
        ];
        double recall = 0;
        foreach (PrecisionRecallPoint point in _points)
        {
            AveragePrecision += (point.Recall - recall) * point.Precision;
            recall = point.Recall;
        }
    }

    /// <summary>The curve of one class against all others.</summary>
    /// <param name="scores">Logits or probabilities, [N, classes].</param>
    /// <param name="labels">The class of each example, [N].</param>
    /// <param name="class">The class that counts as positive.</param>
    /// <returns>The curve.</returns>
    /// <exception cref="ArgumentException">As for the constructor; or there are not as many scores for every example.</exception>
    public static PrecisionRecallCurve OfClass(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels, int @class)
    {
        (float[] column, int[] isClass) = ScoreCounts.Column(scores, labels, @class, nameof(PrecisionRecallCurve));
        return new PrecisionRecallCurve(column, isClass);
    }

    /// <summary>The points in the order of rising recall, one for each different score.</summary>
    public IReadOnlyList<PrecisionRecallPoint> Points => _points;

    /// <summary>The sum of each point's precision, weighted by what recall rises to it.</summary>
    public double AveragePrecision { get; }

    /// <summary>Share of the positive examples: the precision of chance.</summary>
    public double PositiveShare { get; }
}
