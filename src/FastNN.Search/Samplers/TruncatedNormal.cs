namespace FastNN.Search;

/// <summary>The normal distribution, cut off outside [0, 1].</summary>
internal static class TruncatedNormal
{
    private static readonly double LogRootTwoPi = 0.5 * Math.Log(2 * Math.PI);

    /// <summary>The logarithm of the density at the mean.</summary>
    public static double LogNorm(double mean, double deviation) =>
        -LogRootTwoPi - Math.Log(deviation * Inside(mean, deviation));

    /// <summary>The probability between two places.</summary>
    public static double Mass(double mean, double deviation, double from, double to) =>
        (Cumulative((to - mean) / deviation) - Cumulative((from - mean) / deviation)) / Inside(mean, deviation);

    /// <summary>Draws by the inverse of the distribution.</summary>
    public static double Draw(double mean, double deviation, Random random)
    {
        double low = Cumulative(-mean / deviation), high = Cumulative((1 - mean) / deviation);
        return Math.Clamp(mean + (deviation * Quantile(low + (random.NextDouble() * (high - low)))), 0, 1);
    }

    /// <summary>The probability below z: half of the complementary error function.</summary>
    public static double Cumulative(double z) => 0.5 * Erfc(-z / Math.Sqrt(2));

    private static double Inside(double mean, double deviation) =>
        Cumulative((1 - mean) / deviation) - Cumulative(-mean / deviation);

    /// <summary>
    /// Where the probability below is p, by Newton's method on its logarithm, which is concave: from the left of the solution it
    /// never overshoots.
    /// </summary>
    internal static double Quantile(double p)
    {
        if (p > 0.5)
        {
            return -Quantile(1 - p);
        }

        if (p <= 0)
        {
            return double.NegativeInfinity;
        }

        // Below z = -1 the distribution is above phi(z) / 2|z|, so this lies to the left.
        double z = -Math.Sqrt(-2 * Math.Log(p)), wanted = Math.Log(p);
        for (int i = 0; i < 100; i++)
        {
            double below = Cumulative(z), density = Math.Exp((-0.5 * z * z) - LogRootTwoPi);
            double step = (wanted - Math.Log(below)) * below / density;
            z += step;
            if (Math.Abs(step) < 1e-14 * (1 + Math.Abs(z)))
            {
                break;
            }
        }

        return z;
    }

    /// <summary>
    /// The complementary error function: the series of the error function near zero, else its continued fraction
    /// (Abramowitz and Stegun, 7.1.6 and 7.1.14).
    /// </summary>
    internal static double Erfc(double x)
    {
        if (x < 0)
        {
            return 2 - Erfc(-x);
        }

        if (x < 2.5)
        {
            double term = x, sum = x;
            for (int n = 1; Math.Abs(term) > 1e-17 * Math.Abs(sum); n++)
            {
                term *= 2 * x * x / ((2 * n) + 1);
                sum += term;
            }

            return 1 - (2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum);
        }

        double fraction = 0;
        for (int n = 60; n >= 1; n--)
        {
            fraction = n / 2.0 / (x + fraction);
        }

        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / (x + fraction);
    }
}
