namespace FastNN.Testing;

/// <summary>Clipping, in double. The gradient passes where x lies in [low, high].</summary>
internal static class ClipReference
{
    public static double Value(double x, double low, double high) => Math.Min(Math.Max(x, low), high);

    public static double Slope(double x, double low, double high) => x >= low && x <= high ? 1 : 0;
}
