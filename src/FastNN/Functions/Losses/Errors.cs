using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct SquaredError : ILossFunction
{
    public static LossInfo Info => new("MeanSquaredError", "(x - target)^2", new(-3, 3), symmetric: true, torch: "mse_loss");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T error = x - target;
        return error * error;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T error = x - target;
        return error + error;
    }
}

internal readonly struct AbsoluteError : ILossFunction
{
    public static LossInfo Info =>
        new("MeanAbsoluteError", "|x - target|; its slope at 0 is 0", new(-3, 3), symmetric: true, torch: "l1_loss");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => T.Abs(x - target);

    // NaN stays NaN, and 0 is 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T error = x - target;
        return T.IfGreater(error, 0f, 1f, T.IfGreater(0f, error, -1f, error));
    }
}

/// <summary>With c = min(|e|, delta): c^2 / 2 + delta (|e| - c), which is both branches.</summary>
internal readonly struct HuberError : ILossFunction
{
    public static LossInfo Info => new(
        "Huber", "e^2 / 2 for e = x - target up to delta, then a line of slope delta", new(-3, 3), symmetric: true,
        scalars: [new("delta", 1f, "Where the line begins")], torch: "huber_loss");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T size = T.Abs(x - target), near = T.Min(s.A, size);
        return (near * near * 0.5f) + (s.A * (size - near));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T delta = s.A;
        return T.Max(-delta, T.Min(delta, x - target));
    }
}

/// <summary>Huber's loss over its parameter.</summary>
internal readonly struct SmoothAbsoluteError : ILossFunction
{
    public static LossInfo Info => new(
        "SmoothL1", "e^2 / (2 beta) for e = x - target up to beta, then |e| - beta / 2", new(-3, 3), symmetric: true,
        scalars: [new("beta", 1f, "Where the line begins")], torch: "smooth_l1_loss");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T size = T.Abs(x - target), near = T.Min(s.A, size);
        return (near * near * 0.5f / s.A) + (size - near);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => T.Max(-1f, T.Min(1f, (x - target) / s.A));
}

internal readonly struct HingeError : ILossFunction
{
    public static LossInfo Info => new(
        "HingeEmbedding", "x for a target of 1, max(0, margin - x) for -1", new(-3, 3, 1), LossTargets.Signs,
        scalars: [new("margin", 1f, "From where on an x of a target of -1 costs nothing")], torch: "hinge_embedding_loss");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(target, 0f, x, T.Max(0f, s.A - x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(target, 0f, 1f, T.IfGreaterOrEqual(x, s.A, 0f, -1f));
}
