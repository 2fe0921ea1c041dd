using System.Numerics.Tensors;

namespace FastNN.Cli.Recipes;

/// <summary>Scores of many examples as probabilities.</summary>
internal static class RowSoftmax
{
    /// <summary>The probabilities of each row of scores, [examples, classes].</summary>
    /// <param name="scores">The scores, which stay as they are.</param>
    /// <param name="classes">The length of a row.</param>
    /// <param name="temperature">What scores are divided by; default 1.</param>
    public static float[] Of(ReadOnlySpan<float> scores, int classes, float temperature = 1)
    {
        var probabilities = new float[scores.Length];
        TensorPrimitives.Divide(scores, temperature, probabilities);
        for (int i = 0; i < probabilities.Length; i += classes)
        {
            Span<float> row = probabilities.AsSpan(i, classes);
            TensorPrimitives.SoftMax(row, row);
        }

        return probabilities;
    }
}
