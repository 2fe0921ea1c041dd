using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>
/// A: weight decay, or 1 - learning rate times it where it is decoupled, B: -learning rate / (1 - beta1^t), C: 1 - beta1, D:
/// beta2, E: 1 - beta2, F: 1 / sqrt(1 - beta2^t), G: epsilon.
/// </summary>
internal readonly struct AdamUpdate<TDecoupled, TAmsGrad> : IUpdateFunction
    where TDecoupled : struct, IFlag
    where TAmsGrad : struct, IFlag
{
    public static UpdateInfo Info => new(
        (TDecoupled.Value ? "AdamW" : "Adam") + (TAmsGrad.Value ? "AmsGrad" : ""),
        (TDecoupled.Value ? "p *= 1 - rate decay" : "g += decay p")
            + "; m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= step m / (sqrt("
            + (TAmsGrad.Value ? "the largest v" : "v") + ") / correction + epsilon)",
        [
            new("mean"), new("variance", IsNeverNegative: true),
            .. TAmsGrad.Value ? [new StateInfo("maximum", IsNeverNegative: true)] : Array.Empty<StateInfo>()]);

    public static int States => TAmsGrad.Value ? 3 : 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T mean, ref T variance, ref T maximum, in UpdateScalars s)
        where T : struct, ILanes<T>
    {
        if (TDecoupled.Value)
        {
            p *= s.A;
        }
        else
        {
            g = T.MultiplyAdd(p, s.A, g);
        }

        mean = Updates.Mean(mean, g, s.C);
        variance = T.MultiplyAdd(g * s.E, g, variance * s.D);
        T spread = variance;
        if (TAmsGrad.Value)
        {
            maximum = T.Max(maximum, variance);
            spread = maximum;
        }

        return T.MultiplyAdd(mean / T.MultiplyAdd(T.Sqrt(spread), s.F, s.G), s.B, p);
    }
}

/// <summary>
/// A: weight decay, or 1 - learning rate times it where it is decoupled, B: -learning rate (1 - mu) / (1 - product of mu), C: 1 -
/// beta1, D: 1 - beta2, E: 1 / sqrt(1 - beta2^t), F: epsilon, G: -learning rate times the next mu / (1 - product up to the next
/// mu).
/// </summary>
internal readonly struct NAdamUpdate<TDecoupled> : IUpdateFunction
    where TDecoupled : struct, IFlag
{
    public static UpdateInfo Info => new(
        "NAdam" + (TDecoupled.Value ? "Decoupled" : ""),
        (TDecoupled.Value ? "p *= 1 - rate decay" : "g += decay p")
            + "; m += (1 - beta1) (g - m); v += (1 - beta2) (g^2 - v); p -= (step g + next step m) / (sqrt(v) / correction + epsilon)",
        new("mean"), new("variance", IsNeverNegative: true));

    public static int States => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T mean, ref T variance, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T>
    {
        if (TDecoupled.Value)
        {
            p *= s.A;
        }
        else
        {
            g = T.MultiplyAdd(p, s.A, g);
        }

        mean = Updates.Mean(mean, g, s.C);
        variance = T.MultiplyAdd(T.MultiplyAdd(g, g, -variance), s.D, variance);
        return p + (T.MultiplyAdd(g, s.B, mean * s.G) / T.MultiplyAdd(T.Sqrt(variance), s.E, s.F));
    }
}

/// <summary>A: weight decay, B: -learning rate / (1 - beta1^t), C: 1 - beta1, D: beta2, E: epsilon.</summary>
internal readonly struct AdamaxUpdate : IUpdateFunction
{
    public static UpdateInfo Info => new(
        "Adamax", "g += decay p; m += (1 - beta1) (g - m); u = max(beta2 u, |g| + epsilon); p -= step m / u",
        new("mean"), new("norm", IsNeverNegative: true));

    public static int States => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T mean, ref T norm, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T>
    {
        g = T.MultiplyAdd(p, s.A, g);
        mean = Updates.Mean(mean, g, s.C);
        norm = T.Max(norm * s.D, T.Abs(g) + s.E);
        return T.MultiplyAdd(mean / norm, s.B, p);
    }
}
