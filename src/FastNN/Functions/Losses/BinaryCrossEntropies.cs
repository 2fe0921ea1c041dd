using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>The slope has PyTorch's guard against a division by zero.</summary>
internal readonly struct ProbabilityLoss : ILossFunction
{
    public static LossInfo Info => new(
        "BinaryCrossEntropy", "-(t log x + (1 - t) log(1 - x)), each logarithm at least -100", new(0.02f, 0.98f),
        LossTargets.Probabilities);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        // log(1 - x) needs no more care than this: x is a float near 1 there, and 1 - x is exact from 1/2 on.
        T yes = T.Max(-100f, T.Log(x)), no = T.Max(-100f, Elementary.LogOneMinus(x));
        return ((target - 1f) * no) - (target * yes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => (x - target) / T.Max(1e-12f, x * (1f - x));
}

/// <summary>max(x, 0) - x t + log(1 + exp(-|x|)), in terms of one sign so that nothing cancels.</summary>
internal readonly struct LogitLoss : ILossFunction
{
    public static LossInfo Info => new(
        "BinaryCrossEntropyWithLogits", "t log(1 + exp(-x)) + (1 - t) log(1 + exp(x))", new(-4, 4, 0), LossTargets.Probabilities);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T soft = Elementary.LogOnePlus(Elementary.Exp(-T.Abs(x)));
        T yes = target * (soft + T.Max(0f, -x)), no = (1f - target) * (soft + T.Max(0f, x));
        return yes + no;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => Elementary.Sigmoid(x) - target;
}

/// <summary>The same with a weight of the positive class; the slope is (1 - t) - (1 + (p - 1) t) sigmoid(-x).</summary>
internal readonly struct WeightedLogitLoss : ILossFunction
{
    public static LossInfo Info => new(
        "BinaryCrossEntropyWithLogits", "p t log(1 + exp(-x)) + (1 - t) log(1 + exp(x)), p the weight of the positive class",
        new(-4, 4, 0),
        LossTargets.Probabilities);

    public static bool TakesPositiveWeight => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T soft = Elementary.LogOnePlus(Elementary.Exp(-T.Abs(x)));
        T yes = target * (soft + T.Max(0f, -x)), no = (1f - target) * (soft + T.Max(0f, x));
        return (yes * positiveWeight) + no;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T factor = T.MultiplyAdd(positiveWeight - 1f, target, 1f);
        return 1f - target - (factor * Elementary.Sigmoid(-x));
    }
}
