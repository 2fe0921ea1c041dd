using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>What recipes do with predictors.</summary>
internal static class PredictorExtensions
{
    private const int Rows = 250;

    /// <summary>What a network gives for all examples of a dataset, one after the other.</summary>
    public static float[] PredictAll(this Predictor predictor, Dataset data, CancellationToken cancellation)
    {
        int size = (int)predictor.OutputShape.Count;
        var outputs = new float[data.Count * size];
        var inputs = new float[Rows * data.ExampleSize];
        for (int first = 0; first < data.Count; first += Rows)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = Math.Min(Rows, data.Count - first);
            for (int i = 0; i < count; i++)
            {
                data.CopyFeatures(first + i, inputs.AsSpan(i * data.ExampleSize, data.ExampleSize));
            }

            predictor.Predict(inputs.AsSpan(0, count * data.ExampleSize), outputs.AsSpan(first * size, count * size));
        }

        return outputs;
    }

    /// <summary>The class of each example.</summary>
    public static int[] Labels(this Dataset data) => [.. Enumerable.Range(0, data.Count).Select(data.LabelOf)];
}
