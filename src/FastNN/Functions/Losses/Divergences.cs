using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>A term of the divergence of Kullback and Leibler (1951) of x, a log-probability, from the target.</summary>
internal readonly struct Divergence : ILossFunction
{
    public static LossInfo Info => new("KLDivergence", "t (log t - x), 0 where t is", new(-5, 0), LossTargets.Probabilities);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => Slopes.IfEqual(target, 0f, -(target * x), target * (T.Log(target) - x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => -target;
}

/// <summary>The same from a target that is a log-probability, too.</summary>
internal readonly struct LogDivergence : ILossFunction
{
    public static LossInfo Info => new("KLDivergence", "exp(t) (t - x)", new(-5, 0), LossTargets.LogProbabilities);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => Elementary.Exp(target) * (target - x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => -Elementary.Exp(target);
}
