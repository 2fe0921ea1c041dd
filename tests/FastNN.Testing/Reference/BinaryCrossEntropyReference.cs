namespace FastNN.Testing;

/// <summary>Binary cross-entropy of one element, in double, with the weights of the element and of the positive class.</summary>
internal static class BinaryCrossEntropyReference
{
    public static double Loss(bool fromLogits, double x, double target, double weight, double positiveWeight)
    {
        double yes = fromLogits ? -SoftPlus(-x) : Math.Max(-100, Math.Log(x));
        double no = fromLogits ? -SoftPlus(x) : Math.Max(-100, Math.Log(1 - x));
        return -weight * ((positiveWeight * target * yes) + ((1 - target) * no));
    }

    public static double Slope(bool fromLogits, double x, double target, double weight, double positiveWeight)
    {
        if (!fromLogits)
        {
            return weight * (x - target) / Math.Max(x * (1 - x), 1e-12);
        }

        double yes = 1 / (1 + Math.Exp(-x)), no = 1 / (1 + Math.Exp(x));
        return weight * (((1 - target) * yes) - (positiveWeight * target * no));
    }

    private static double SoftPlus(double x) => x > 0 ? x + LogOnePlus(Math.Exp(-x)) : LogOnePlus(Math.Exp(x));

    private static double LogOnePlus(double u) => u < 1e-5 ? u - (u * u / 2) + (u * u * u / 3) : Math.Log(1 + u);
}
