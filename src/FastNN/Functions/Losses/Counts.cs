using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>The negative log-likelihood of counts under Poisson's distribution, from the logarithm of its rate.</summary>
internal readonly struct LogPoissonError : ILossFunction
{
    public static LossInfo Info => new(
        "Poisson", "exp(x) - t x, and Stirling's approximation of log t! for t above 1 where asked for", new(-3, 3),
        LossTargets.Counts, scalars: [new("full", 0f, "1 adds Stirling's approximation")]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => Elementary.Exp(x) - (target * x) + (s.A * Stirling(target));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => Elementary.Exp(x) - target;

    /// <summary>t log t - t + log(2 pi t) / 2 above 1, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Stirling<T>(T target)
        where T : struct, ILanes<T>
    {
        T count = T.Max(1f, target);
        T logarithm = T.Log(count);
        return T.IfGreater(target, 1f, ((count + 0.5f) * logarithm) - count + 0.918938533f, 0f);
    }
}

/// <summary>The same from the rate itself.</summary>
internal readonly struct PoissonError : ILossFunction
{
    public static LossInfo Info => new(
        "Poisson", "x - t log(x + epsilon), and Stirling's approximation of log t! for t above 1 where asked for", new(0.1f, 4),
        LossTargets.Counts,
        scalars: [new("full", 0f, "1 adds Stirling's approximation"), new("epsilon", 1e-8f, "Keeps the logarithm finite")]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => x - (target * T.Log(x + s.B)) + (s.A * LogPoissonError.Stirling(target));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => 1f - (target / (x + s.B));
}
