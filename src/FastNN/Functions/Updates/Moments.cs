using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>
/// A: weight decay, or 1 - learning rate times it where it is decoupled, B: -learning rate / (1 - beta1^t), times the
/// rectification and sqrt(1 - beta2^t) where the variance counts, C: 1 - beta1, D: beta2, E: 1 - beta2, F: epsilon, G: whether
/// the variance counts.
/// </summary>
internal readonly struct RAdamUpdate<TDecoupled> : IUpdateFunction
    where TDecoupled : struct, IFlag
{
    public static UpdateInfo Info => new(
        "RAdam" + (TDecoupled.Value ? "Decoupled" : ""),
        (TDecoupled.Value ? "p *= 1 - rate decay" : "g += decay p")
            + "; m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= step m / (sqrt(v) + epsilon), or step m in the first steps",
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
        variance = T.MultiplyAdd(g * s.E, g, variance * s.D);
        return T.MultiplyAdd(mean / T.IfGreater(s.G, 0.5f, T.Sqrt(variance) + s.F, 1f), s.B, p);
    }
}

/// <summary>A: 1 - learning rate times weight decay, B: -learning rate, C: 1 - beta1, D: 1 - beta2.</summary>
internal readonly struct LionUpdate : IUpdateFunction
{
    public static UpdateInfo Info => new(
        "Lion", "c = m + (1 - beta1) (g - m); p = (1 - rate decay) p - rate sign(c); m += (1 - beta2) (g - m)",
            new StateInfo("mean"));

    public static int States => 1;

    // The sign of 0 is 0, that of NaN NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T mean, ref T second, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T>
    {
        T direction = T.MultiplyAdd(g - mean, s.C, mean);
        mean = Updates.Mean(mean, g, s.D);
        return T.MultiplyAdd(T.IfGreater(direction, 0f, 1f, T.IfGreater(0f, direction, -1f, direction)), s.B, p * s.A);
    }
}

/// <summary>A running mean of parameters: p is the mean, g the parameter. A: what is taken of the parameter.</summary>
internal readonly struct AverageUpdate : IUpdateFunction
{
    public static UpdateInfo Info => new("Average", "p += share (g - p), or g where the share is 1");

    public static int States => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T first, ref T second, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(s.A, 1f, g, T.MultiplyAdd(g - p, s.A, p));
}
