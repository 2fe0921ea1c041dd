using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Testing;

/// <summary>Inverted dropout, one random number at a time.</summary>
internal static class DropoutReference
{
    /// <summary>The mask's factors: 0, or 1 / (1 - rate).</summary>
    public static void Factors(in DropoutOptions options, ulong step, Span<double> factors)
    {
        for (int i = 0; i < factors.Length; i++)
        {
            PhiloxBlock block = Philox.Rounds(
                (uint)(i / 4), (uint)step, (uint)(step >> 32), options.Stream, (uint)options.Seed, (uint)(options.Seed >> 32));
            factors[i] = (block[i % 4] >> 8) / 16777216.0 >= options.Rate ? 1 / (1 - (double)options.Rate) : 0;
        }
    }
}
