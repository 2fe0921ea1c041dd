using System.Globalization;
using System.Numerics.Tensors;

namespace FastNN.Imaging;

/// <summary>A class with its probability.</summary>
/// <param name="Index">The class.</param>
/// <param name="Label">Its name; its number where no names are given.</param>
/// <param name="Probability">0 to 1.</param>
public readonly record struct RankedClass(int Index, string Label, float Probability);

/// <summary>From a network's outputs to the classes that it thinks of.</summary>
public static class Classification
{
    /// <summary>The most probable classes, best first; of equal ones the first comes first.</summary>
    /// <param name="logits">One number per class, before softmax.</param>
    /// <param name="count">How many classes are wanted at most.</param>
    /// <param name="labels">The names of the classes; null for their numbers.</param>
    /// <exception cref="ArgumentException">There are no classes, or there is another number of labels.</exception>
    public static RankedClass[] Top(ReadOnlySpan<float> logits, int count, IReadOnlyList<string>? labels = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        if (logits.IsEmpty || (labels is not null && labels.Count != logits.Length))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"Classification: expected a label for each of one class or more, got {labels?.Count ?? 0} labels for {logits.Length} classes."));
        }

        var probabilities = new float[logits.Length];
        TensorPrimitives.SoftMax(Shifted(logits), probabilities);
        int[] order = [.. Enumerable.Range(0, probabilities.Length)
            .OrderByDescending(index => float.IsNaN(probabilities[index]) ? float.NegativeInfinity : probabilities[index])
            .Take(count)];
        return Array.ConvertAll(order, index => new RankedClass(
            index, labels?[index] ?? index.ToString(CultureInfo.InvariantCulture), probabilities[index]));
    }

    // Against overflow: the largest becomes 0.
    private static float[] Shifted(ReadOnlySpan<float> logits)
    {
        var shifted = new float[logits.Length];
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max(logits), shifted);
        return shifted;
    }

    /// <summary>Reads names of classes, one a line.</summary>
    /// <param name="path">A text file.</param>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    public static IReadOnlyList<string> ReadLabels(string path) => File.ReadAllLines(path);
}
