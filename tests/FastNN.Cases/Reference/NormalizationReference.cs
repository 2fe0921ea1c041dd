namespace FastNN.Testing;

/// <summary>
/// Normalization, in double: each group of elements has its mean and variance, each element its weight and bias.
/// </summary>
internal static class NormalizationReference
{
    /// <param name="group">The number of an element's group.</param>
    /// <param name="parameter">The number of an element's weight and bias.</param>
    /// <param name="given">Mean and variance of each group where they are constants, else null.</param>
    public static double[] Forward(
        double[] x, double[]? weight, double[]? bias, Func<int, int> group, Func<int, int> parameter, double eps,
        (double[] Mean, double[] Variance)? given = null)
    {
        (double[] mean, double[] variance) = given ?? Statistics(x, group);
        return [.. x.Select((value, i) =>
            ((value - mean[group(i)]) / Math.Sqrt(variance[group(i)] + eps) * (weight?[parameter(i)] ?? 1))
                + (bias?[parameter(i)] ?? 0))];
    }

    /// <summary>x / sqrt(mean(x^2) + eps) weight along rows of so many elements.</summary>
    public static double[] RootMeanSquare(double[] x, double[]? weight, int size, double eps)
    {
        var squares = new double[x.Length / size];
        for (int i = 0; i < x.Length; i++)
        {
            squares[i / size] += x[i] * x[i] / size;
        }

        return [.. x.Select((value, i) => value / Math.Sqrt(squares[i / size] + eps) * (weight?[i % size] ?? 1))];
    }

    /// <summary>Mean and biased variance of each group.</summary>
    public static (double[] Mean, double[] Variance) Statistics(double[] x, Func<int, int> group)
    {
        int groups = x.Length == 0 ? 0 : Enumerable.Range(0, x.Length).Max(group) + 1;
        double[] mean = new double[groups], variance = new double[groups], count = new double[groups];
        for (int i = 0; i < x.Length; i++)
        {
            mean[group(i)] += x[i];
            count[group(i)]++;
        }

        for (int i = 0; i < groups; i++)
        {
            mean[i] /= count[i];
        }

        for (int i = 0; i < x.Length; i++)
        {
            variance[group(i)] += (x[i] - mean[group(i)]) * (x[i] - mean[group(i)]) / count[group(i)];
        }

        return (mean, variance);
    }
}
