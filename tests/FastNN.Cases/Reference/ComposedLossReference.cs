namespace FastNN.Testing;

/// <summary>Losses of several values by definition, in double: a loss for each row or element.</summary>
internal static class ComposedLossReference
{
    /// <summary>Of each row of some matrices of one shape.</summary>
    public static double[] Rows(int rows, double[][] values, Func<double[][], double> loss) =>
        [.. Enumerable.Range(0, rows).Select(row => loss(Array.ConvertAll(values, all => Row(all, rows, row))))];

    public static double[] Row(double[] values, int rows, int row)
    {
        int width = values.Length / rows;
        return values[(row * width)..((row + 1) * width)];
    }

    public static double Cosine(double[] a, double[] b) =>
        Dot(a, b) / Math.Sqrt((Dot(a, a) + 1e-12) * (Dot(b, b) + 1e-12));

    public static double CosineEmbedding(double[] a, double[] b, double target, double margin) =>
        target > 0 ? 1 - Cosine(a, b) : Math.Max(0, Cosine(a, b) - margin);

    public static double Triplet(double[] anchor, double[] positive, double[] negative, double margin, double p, bool swap)
    {
        double Distance(double[] a, double[] b) =>
            Math.Pow(a.Zip(b, (x, y) => Math.Pow(Math.Abs(x - y + 1e-6f), p)).Sum(), 1 / p);
        double far = Distance(anchor, negative);
        far = swap ? Math.Min(far, Distance(positive, negative)) : far;
        return Math.Max(0, Distance(anchor, positive) - far + margin);
    }

    public static double Gaussian(double mean, double target, double variance, bool full) =>
        (0.5 * (Math.Log(variance) + ((mean - target) * (mean - target) / variance))) + (full ? 0.5 * Math.Log(2 * Math.PI) : 0);

    public static double MultiMargin(double[] x, int target, double margin, double p, double weight) =>
        weight / x.Length * x.Where((_, i) => i != target).Sum(value => Math.Pow(Math.Max(0, margin - x[target] + value), p));

    public static double[] InfoNce(double[] queries, double[] keys, int rows, double temperature, bool symmetric)
    {
        double Score(int i, int j)
        {
            (double[] a, double[] b) = (Row(queries, rows, i), Row(keys, rows, j));
            return Dot(a, b) / Math.Sqrt((Dot(a, a) + 1e-12) * (Dot(b, b) + 1e-12)) / temperature;
        }

        double Loss(int i, Func<int, double> score) =>
            Math.Log(Enumerable.Range(0, rows).Sum(j => Math.Exp(score(j)))) - Score(i, i);
        return [.. Enumerable.Range(0, rows).Select(i => symmetric
            ? 0.5 * (Loss(i, j => Score(i, j)) + Loss(i, j => Score(j, i)))
            : Loss(i, j => Score(i, j)))];
    }

    /// <param name="shape">[N, P] or [N, ..., C].</param>
    public static double[] Dice(double[] x, double[] t, Shape shape, bool fromLogits, double smooth)
    {
        int classes = shape.Rank > 2 ? shape[-1] : 1, places = x.Length / shape[0] / classes;
        double Probability(double value) => fromLogits ? 1 / (1 + Math.Exp(-value)) : value;
        return [.. Enumerable.Range(0, shape[0] * classes).Select(area =>
        {
            int[] at = [
                .. Enumerable.Range(0, places).Select(place => (((area / classes * places) + place) * classes)
                    + (area % classes))];
            double overlap = at.Sum(i => Probability(x[i]) * t[i]), total = at.Sum(i => Probability(x[i]) + t[i]);
            return 1 - (((2 * overlap) + smooth) / (total + smooth));
        })];
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
