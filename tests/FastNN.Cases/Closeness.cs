namespace FastNN.Testing;

/// <summary>
/// Compares float32 results with a double truth, as many as there are: the first value that is too far off, and how much of its
/// tolerance the worst took. A value may be off by its tolerance plus 1e-5 of what is expected.
/// </summary>
internal sealed class Closeness
{
    /// <summary>The relative part of a tolerance: a few roundings of float32.</summary>
    private const double Relative = 1e-5;

    /// <summary>Of the terms of a sum, which are rounded by their own size: eight roundings of float32.</summary>
    private const double OfTerms = 1e-6;

    /// <summary>The first that is too far off, with what was found and expected; null where none is.</summary>
    public string? Fault { get; private set; }

    /// <summary>The largest share of what was allowed; above 1 where there is a fault.</summary>
    public double Worst { get; private set; }

    /// <param name="terms">
    /// Where the values are sums: those of their terms' absolute values, which do not cancel, as the terms' errors do not. Empty
    /// where they are not.
    /// </param>
    public void Check(
        string what, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double tolerance,
        ReadOnlySpan<double> terms = default)
    {
        if (actual.Length != expected.Length)
        {
            Worst = double.PositiveInfinity;
            Fault ??= $"{what} has {actual.Length} values, {expected.Length} expected.";
            return;
        }

        for (int i = 0; i < actual.Length; i++)
        {
            double allowed = tolerance + (terms.IsEmpty ? 0 : OfTerms * terms[i]);
            if (!IsNear(actual[i], expected[i], allowed))
            {
                Fault ??= Describe($"{what}[{i}]", actual[i], expected[i], allowed);
            }
        }
    }

    public void Check(string what, double actual, double expected, double tolerance)
    {
        if (!IsNear(actual, expected, tolerance))
        {
            Fault ??= Describe(what, actual, expected, tolerance);
        }
    }

    /// <summary>False for NaN.</summary>
    private bool IsNear(double actual, double expected, double tolerance)
    {
        double difference = Math.Abs(actual - expected), allowed = tolerance + (Relative * Math.Abs(expected));
        bool near = difference <= allowed;
        Worst = Math.Max(Worst, !near ? Math.Max(difference / allowed, 1) : allowed > 0 ? difference / allowed : 0);
        return near;
    }

    private static string Describe(string what, double actual, double expected, double tolerance) =>
        $"{what} is {actual:g9}, {expected:g9} expected, tolerance {tolerance:g3} + {Relative:g1} of it.";
}
