namespace FastNN;

/// <summary>The share of right predictions, from 0 to 1; 0 of nothing is 0. None of these allocates.</summary>
public static class Accuracy
{
    /// <summary>
    /// Of scores by class against class indices: right where the greatest score, the first of equal ones, is the label's.
    /// </summary>
    /// <param name="labels">The class index of each example.</param>
    /// <param name="scores">Logits or probabilities, one row per example.</param>
    /// <returns>The share.</returns>
    /// <exception cref="ShapeException">The scores do not make one row per example.</exception>
    /// <exception cref="InvalidDatasetException">A label is not an index of a row, or a score is NaN.</exception>
    public static double Sparse(ReadOnlySpan<int> labels, ReadOnlySpan<float> scores)
    {
        int classes = RowLength(labels.Length, scores.Length);
        int correct = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)classes)
            {
                throw new InvalidDatasetException(
                    $"Accuracy: class {labels[i]} of example {i} is out of range 0..{classes - 1}.");
            }

            correct += ConfusionMatrix.ArgMax(scores.Slice(i * classes, classes), i) == labels[i] ? 1 : 0;
        }

        return Share(correct, labels.Length);
    }

    /// <summary>
    /// Of scores by class against one-hot or other probabilities: right where both have their greatest number in one place.
    /// </summary>
    /// <param name="targets">One row per example.</param>
    /// <param name="scores">Logits or probabilities, one row per example.</param>
    /// <param name="classes">The length of a row.</param>
    /// <returns>The share.</returns>
    /// <exception cref="ShapeException">The lengths differ or are not a multiple of a row.</exception>
    /// <exception cref="InvalidDatasetException">A number is NaN.</exception>
    public static double Categorical(ReadOnlySpan<float> targets, ReadOnlySpan<float> scores, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        CheckEqual(targets.Length, scores.Length);
        int examples = targets.Length / classes;
        if (examples * classes != targets.Length)
        {
            throw new ShapeException($"Accuracy: expected a multiple of {classes} targets, got {targets.Length}.");
        }

        int correct = 0;
        for (int i = 0; i < examples; i++)
        {
            int target = ConfusionMatrix.ArgMax(targets.Slice(i * classes, classes), i);
            correct += ConfusionMatrix.ArgMax(scores.Slice(i * classes, classes), i) == target ? 1 : 0;
        }

        return Share(correct, examples);
    }

    /// <summary>
    /// Of probabilities against targets of 0 and 1, element by element: right where both exceed the threshold or neither does.
    /// </summary>
    /// <param name="targets">0 or 1 per element.</param>
    /// <param name="probabilities">As a sigmoid gives them, as many.</param>
    /// <param name="threshold">Default 0.5, which itself counts as 0 (Keras' BinaryAccuracy).</param>
    /// <returns>The share.</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidDatasetException">A target is neither 0 nor 1, or a probability is NaN.</exception>
    public static double Binary(ReadOnlySpan<float> targets, ReadOnlySpan<float> probabilities, float threshold = 0.5f)
    {
        CheckEqual(targets.Length, probabilities.Length);
        int correct = 0;
        for (int i = 0; i < targets.Length; i++)
        {
            if (targets[i] is not (0 or 1))
            {
                throw new InvalidDatasetException($"Accuracy: target {targets[i]} of element {i} is neither 0 nor 1.");
            }

            if (float.IsNaN(probabilities[i]))
            {
                throw ConfusionMatrix.NotANumber(i);
            }

            correct += probabilities[i] > threshold == (targets[i] == 1) ? 1 : 0;
        }

        return Share(correct, targets.Length);
    }

    private static int RowLength(int examples, int scores)
    {
        if (examples == 0 ? scores != 0 : scores == 0 || scores % examples != 0)
        {
            throw new ShapeException($"Accuracy: {scores} scores do not make equal rows for {examples} examples.");
        }

        return examples == 0 ? 0 : scores / examples;
    }

    private static void CheckEqual(int targets, int outputs)
    {
        if (targets != outputs)
        {
            throw new ShapeException($"Accuracy: {outputs} outputs given for {targets} targets.");
        }
    }

    private static double Share(int correct, int total) => total == 0 ? 0 : (double)correct / total;
}
