using FastNN.Cpu;

namespace FastNN.Tests.Cpu;

/// <summary>The sets of vector instructions that a test wants.</summary>
internal static class Rung
{
    /// <summary>Skips a test where the processor has no vectors of so many floats.</summary>
    public static void Require(int lanes)
    {
        bool isThere = lanes switch
        {
            16 => Lanes512.IsSupported,
            8 => Lanes256.IsSupported,
            4 => Lanes128.IsSupported,
            _ => true,
        };
        Assume.That(isThere, $"this processor has no vectors of {lanes} floats");
    }
}
