namespace FastNN.Testing;

/// <summary>Comparisons of float32 results with a double truth, and of bits with bits.</summary>
internal static class Near
{
    /// <summary>Fails unless each |actual - expected| is at most <paramref name="tolerance"/> + 1e-5 |expected|.</summary>
    public static void Check(string what, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double tolerance)
    {
        var found = new Closeness();
        found.Check(what, actual, expected, tolerance);
        Require(found);
    }

    public static void Check(string what, double actual, double expected, double tolerance)
    {
        var found = new Closeness();
        found.Check(what, actual, expected, tolerance);
        Require(found);
    }

    /// <summary>Fails where a comparison found a fault.</summary>
    public static void Require(Closeness found)
    {
        if (found.Fault is { } fault)
        {
            Assert.Fail(fault);
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
}
