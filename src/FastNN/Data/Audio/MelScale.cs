namespace FastNN.Data;

/// <summary>A scale of pitch.</summary>
public enum MelScale
{
    /// <summary>2595 log10(1 + hertz / 700), as the Hidden Markov Model Toolkit has it.</summary>
    Htk,

    /// <summary>Linear up to 1000 hertz, 15 mel, and logarithmic above: 27 mel for each factor of 6.4 (Slaney's Auditory
    /// Toolbox).</summary>
    Slaney,
}

/// <summary>Hertz to mel and back.</summary>
internal static class MelScales
{
    private const double LinearHertz = 200.0 / 3, BreakHertz = 1000, BreakMel = BreakHertz / LinearHertz;

    private static readonly double LogStep = Math.Log(6.4) / 27;

    public static double ToMel(this MelScale scale, double hertz) => scale == MelScale.Htk
        ? 2595 * Math.Log10(1 + (hertz / 700))
        : hertz < BreakHertz ? hertz / LinearHertz : BreakMel + (Math.Log(hertz / BreakHertz) / LogStep);

    public static double ToHertz(this MelScale scale, double mel) => scale == MelScale.Htk
        ? 700 * (Math.Pow(10, mel / 2595) - 1)
        : mel < BreakMel ? mel * LinearHertz : BreakHertz * Math.Exp(LogStep * (mel - BreakMel));
}
