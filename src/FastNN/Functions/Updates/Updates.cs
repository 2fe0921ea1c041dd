using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>Parts that several updates share.</summary>
internal static class Updates
{
    private const float Negligible = 1f / (1L << 50) / (1L << 50);

    /// <summary>
    /// mean + share (g - mean). The mean of a dead unit's gradient halves every 7 steps at a share of 0.1 and is denormal after
    /// 900; from there on each step would cost twice the time. Below 2^-100 it moves no weight any more and becomes 0. (In this
    /// order NaN stays NaN.)
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Mean<T>(T mean, T g, Scalar share)
        where T : struct, ILanes<T>
    {
        mean = T.MultiplyAdd(g - mean, share, mean);
        return T.IfGreater(Negligible, T.Abs(mean), 0f, mean);
    }
}
