namespace FastNN.Hosting;

/// <summary>One feature, or one channel, of the examples that a model was trained on.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Mean">The mean of its values.</param>
/// <param name="StandardDeviation">Their population standard deviation.</param>
/// <param name="Bounds">
/// Upper bounds of bins, ascending: what lies just below the lowest value, quantiles, and the highest value; a value on a bound
/// counts below it.
/// </param>
/// <param name="Shares">
/// How much of the values each bin has; one more than bounds, the last for what is above all of them or is not a number.
/// </param>
public sealed record FeatureStatistics(
    string Name, double Mean, double StandardDeviation, IReadOnlyList<float> Bounds, IReadOnlyList<double> Shares)
{
    private const int Quantiles = 10;

    /// <summary>Measures values, which are sorted by it.</summary>
    internal static FeatureStatistics Of(string name, Span<float> values)
    {
        double mean = 0, squares = 0;
        for (int i = 0; i < values.Length; i++)
        {
            double delta = values[i] - mean;
            mean += delta / (i + 1);
            squares += delta * (values[i] - mean);
        }

        values.Sort();
        List<float> bounds = [MathF.BitDecrement(values[0])];
        for (int i = 1; i <= Quantiles; i++)
        {
            float bound = values[(int)((long)(values.Length - 1) * i / Quantiles)];

            // Where many values are equal, quantiles are too.
            if (bound > bounds[^1])
            {
                bounds.Add(bound);
            }
        }

        float[] kept = [.. bounds];
        var shares = new double[kept.Length + 1];
        foreach (float value in values)
        {
            shares[BinOf(kept, value)] += 1.0 / values.Length;
        }

        return new FeatureStatistics(name, mean, Math.Sqrt(squares / values.Length), kept, shares);
    }

    /// <summary>Which bin a value belongs to; the last for NaN.</summary>
    internal static int BinOf(ReadOnlySpan<float> bounds, float value)
    {
        int bin = 0;
        while (bin < bounds.Length && !(value <= bounds[bin]))
        {
            bin++;
        }

        return bin;
    }
}
