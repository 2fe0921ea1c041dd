namespace FastNN.Testing;

/// <summary>Comparisons of float32 results with a double truth, and of bits with bits.</summary>
internal static class Near
{
    /// <summary>The relative part of a tolerance: a few roundings of float32.</summary>
    private const double Relative = 1e-5;

    /// <summary>Fails unless each |actual - expected| is at most <paramref name="tolerance"/> + 1e-5 |expected|.</summary>
    public static void Check(string what, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double tolerance)
    {
        Assert.That(actual.Length, Is.EqualTo(expected.Length), $"{what}: length");
        for (int i = 0; i < actual.Length; i++)
        {
            if (!IsNear(actual[i], expected[i], tolerance))
            {
                Fail($"{what}[{i}]", actual[i], expected[i], tolerance);
            }
        }
    }

    public static void Check(string what, double actual, double expected, double tolerance)
    {
        if (!IsNear(actual, expected, tolerance))
        {
            Fail(what, actual, expected, tolerance);
        }
    }

    public static void SameBits(float[][] expected, float[][] actual)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < actual.Length; i++)
        {
            SameBits(expected[i], actual[i]);
        }
    }

    public static void SameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.That(actual.Length, Is.EqualTo(expected.Length));
        for (int i = 0; i < actual.Length; i++)
        {
            if (BitConverter.SingleToUInt32Bits(actual[i]) != BitConverter.SingleToUInt32Bits(expected[i]))
            {
                Assert.Fail($"Element {i} is {actual[i]:g9}, {expected[i]:g9} expected to the last bit.");
            }
        }
    }

    /// <summary>False for NaN.</summary>
    private static bool IsNear(double actual, double expected, double tolerance) =>
        Math.Abs(actual - expected) <= tolerance + (Relative * Math.Abs(expected));

    private static void Fail(string what, double actual, double expected, double tolerance) =>
        Assert.Fail($"{what} is {actual:g9}, {expected:g9} expected, tolerance {tolerance:g3} + {Relative:g1} of it.");
}
