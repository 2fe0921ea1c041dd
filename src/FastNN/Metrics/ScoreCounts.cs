namespace FastNN;

/// <summary>How many examples have at least a score.</summary>
internal readonly record struct ScoreCounts(float Threshold, long Positives, long Negatives)
{
    /// <summary>The counts for each different score, from the greatest down; the last counts all examples.</summary>
    public static IReadOnlyList<ScoreCounts> Of(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels, string name)
    {
        if (scores.Length != labels.Length || scores.IsEmpty)
        {
            throw new ArgumentException(
                $"{name}: expected at least one score and a label for each, got {scores.Length} scores and {labels.Length} labels.",
                nameof(scores));
        }

        if (labels.IndexOfAnyExcept(0, 1) is >= 0 and var other)
        {
            throw new ArgumentException(
                $"{name}: expected labels 0 and 1, got {labels[other]} at position {other}.", nameof(labels));
        }

        float[] sorted = scores.ToArray();
        int[] order = labels.ToArray();
        Array.Sort(sorted, order);
        // NaN sorts before everything else.
        if (float.IsNaN(sorted[0]))
        {
            throw new ArgumentException($"{name}: expected scores that are numbers, got NaN.", nameof(scores));
        }

        var counts = new List<ScoreCounts>();
        long positives = 0, negatives = 0;
        for (int i = sorted.Length - 1; i >= 0; i--)
        {
            (positives, negatives) = (positives + order[i], negatives + 1 - order[i]);
            if (i == 0 || sorted[i - 1] != sorted[i])
            {
                counts.Add(new ScoreCounts(sorted[i], positives, negatives));
            }
        }

        return counts;
    }

    /// <summary>One column of scores [N, classes], and 1 for the examples of its class.</summary>
    public static (float[] Scores, int[] Labels) Column(
        ReadOnlySpan<float> scores, ReadOnlySpan<int> labels, int column, string name)
    {
        int classes = labels.IsEmpty || scores.Length % labels.Length != 0 ? 0 : scores.Length / labels.Length;
        if ((uint)column >= (uint)classes)
        {
            throw new ArgumentException(
                $"{name}: expected as many scores for every label and a class among them, got {scores.Length} scores, {labels.Length} labels and class {column}.",
                nameof(scores));
        }

        var (values, isClass) = (new float[labels.Length], new int[labels.Length]);
        for (int i = 0; i < labels.Length; i++)
        {
            (values[i], isClass[i]) = (scores[(i * classes) + column], labels[i] == column ? 1 : 0);
        }

        return (values, isClass);
    }
}
