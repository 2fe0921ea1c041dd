namespace FastNN.Testing;

/// <summary>L1 and L2 penalties, in double.</summary>
internal static class PenaltyReference
{
    public static double Forward(ReadOnlySpan<double> x, double l1, double l2)
    {
        double sum = 0;
        foreach (double value in x)
        {
            sum += (l1 * Math.Abs(value)) + (l2 * value * value);
        }

        return sum;
    }

    public static double Slope(double x, double l1, double l2) => (l1 * Math.Sign(x)) + (2 * l2 * x);
}
