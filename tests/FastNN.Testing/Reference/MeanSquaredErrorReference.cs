namespace FastNN.Testing;

/// <summary>The squared error of one element, in double.</summary>
internal static class MeanSquaredErrorReference
{
    public static double Loss(double x, double target) => (x - target) * (x - target);

    public static double Slope(double x, double target) => 2 * (x - target);
}
