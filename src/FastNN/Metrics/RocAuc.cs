using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN;

/// <summary>
/// The area under the receiver operating characteristic of a binary classifier: the probability that a positive example scores
/// higher than a negative one. As a metric it is computed on the device from counts above evenly spaced thresholds, with straight
/// lines between them (Keras' AUC): off by at most half the share of pairs between the same two thresholds. <see
/// cref="Exact(ReadOnlySpan{float}, ReadOnlySpan{int})"/> computes it on the host by sorting.
/// </summary>
/// <param name="thresholds">From 2 to 10,000; default 200. Each example takes as many columns twice.</param>
/// <exception cref="ArgumentOutOfRangeException">The number of thresholds is out of range.</exception>
public sealed class RocAuc(int thresholds = 200) : Metric
{
    private readonly int _thresholds = thresholds is >= 2 and <= 10_000
        ? thresholds
        : throw new ArgumentOutOfRangeException(
            nameof(thresholds), $"RocAuc: expected 2 to 10000 thresholds, got {thresholds}.");

    /// <inheritdoc/>
    public override string Name => "RocAuc";

    /// <inheritdoc/>
    public override bool MoreIsBetter => true;

    /// <summary>The exact area: the share of pairs in the right order, ties counting half (Mann and Whitney, 1947).</summary>
    /// <param name="scores">The larger, the more likely positive; not NaN.</param>
    /// <param name="labels">1 for positive examples, 0 for negative ones.</param>
    /// <returns>From 0 to 1; NaN where all examples are of one class.</returns>
    /// <exception cref="ArgumentException">The lengths differ, a label is neither, or a score is NaN.</exception>
    public static double Exact(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels)
    {
        if (scores.Length != labels.Length)
        {
            throw new ArgumentException($"RocAuc: expected a label for each of {scores.Length} scores, got {labels.Length}.");
        }

        if (labels.IndexOfAnyExcept(0, 1) is >= 0 and var other)
        {
            throw new ArgumentException($"RocAuc: expected labels 0 and 1, got {labels[other]} at position {other}.");
        }

        float[] sorted = scores.ToArray();
        int[] order = labels.ToArray();
        Array.Sort(sorted, order);
        if (sorted.Length > 0 && float.IsNaN(sorted[0]))
        {
            throw new ArgumentException("RocAuc: expected scores that are numbers, got NaN.");
        }

        long positives = 0, negatives = 0;
        double pairs = 0;
        for (int first = 0, next; first < sorted.Length; first = next)
        {
            long yes = 0, no = 0;
            for (next = first; next < sorted.Length && sorted[next] == sorted[first]; next++)
            {
                (yes, no) = (yes + order[next], no + 1 - order[next]);
            }

            pairs += yes * (negatives + (no / 2.0));
            (positives, negatives) = (positives + yes, negatives + no);
        }

        return pairs / ((double)positives * negatives);
    }

    /// <inheritdoc/>
    public override Value Record(MetricInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        Value output = inputs.Output, target = inputs.Target;
        if (inputs.ClassCount != 2 || output.Type != DType.Float32 || target.Type != DType.Float32 || target.Shape != output.Shape
            || (output.Shape.Rank > 1 && output.Shape[-1] != 1))
        {
            throw new ShapeException(
                $"{Name}: expected a single output against a target of 0 or 1, as in binary cross-entropy, got outputs {output.TensorType} and targets {target.TensorType}.");
        }

        if (output.Shape.Rank == 1)
        {
            (output, target) = (output.WithColumn(), target.WithColumn());
        }

        // Logits, which have their threshold at 0, are spread over the thresholds by a sigmoid, which keeps their order.
        Value score = inputs.Threshold == 0 ? output.Sigmoid() : output;
        float[] edges = [.. Enumerable.Range(0, _thresholds).Select(i => i / (float)_thresholds)];
        Value above = score.GreaterOrEqual(output.Graph.Constant(edges, new Shape(_thresholds))),
            isPositive = target.Greater(0.5f);
        Value positives = Classes.Select(above & isPositive, 1, 0), negatives = Classes.Select(above & !isPositive, 1, 0);
        return Operators.Concat(-1, positives, negatives);
    }

    /// <inheritdoc/>
    public override double Compute(MetricSums sums)
    {
        ArgumentNullException.ThrowIfNull(sums);
        double positives = sums.Sum(0), negatives = sums.Sum(_thresholds), area = 0;
        for (int i = 0; i < _thresholds; i++)
        {
            bool isLast = i == _thresholds - 1;
            double nextPositives = isLast ? 0 : sums.Sum(i + 1), nextNegatives = isLast ? 0 : sums.Sum(_thresholds + i + 1);
            area += (sums.Sum(_thresholds + i) - nextNegatives) * (sums.Sum(i) + nextPositives) / 2;
        }

        return area / (positives * negatives);
    }
}

/// <summary>
/// How many classes a language model hesitates between: e to the mean of the negative logarithm of the targets' probabilities.
/// </summary>
internal sealed class PerplexityMetric : Metric
{
    public override string Name => "Perplexity";

    public override Value Record(MetricInputs inputs)
    {
        Value output = inputs.Output, target = inputs.Target;
        if (inputs.ClassCount is null || output.Type != DType.Float32 || output.Shape.Rank == 0 || target.Type != DType.Int32
            || target.Shape != output.Shape[..^1])
        {
            throw new ShapeException(
                $"{Name}: expected logits [..., classes] and class indices [...], got {output.TensorType} and {target.TensorType}.");
        }

        int ignored = inputs.IgnoredClass ?? -100;
        var options = new CrossEntropyOptions(CrossEntropyInput.Logits, Reduction.None, IgnoreIndex: ignored);
        Value losses = output.Graph.Add(new CrossEntropyOp(options), output, target);
        return ShapeOperators.Stack(
            -1, losses, Classes.Select(target.NotEqual(output.Graph.ConstantInt32([ignored], default)), 1, 0));
    }

    public override double Compute(MetricSums sums) => Math.Exp(sums.Sum(0) / sums.Sum(1));
}
