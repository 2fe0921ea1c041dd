using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>At the margin itself the slope is the target's, as with PyTorch's clamp_min.</summary>
internal readonly struct MarginError : ILossFunction
{
    public static LossInfo Info => new(
        "Hinge", "max(0, margin - t x) for a target t of 1 or -1", new(-3, 3, -1, 1), LossTargets.Signs, symmetric: true,
        scalars: [new("margin", 1f, "From where on a product t x costs nothing")]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => T.Max(0f, s.A - (target * x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(target * x, s.A, 0f, -target);
}

/// <summary>x is the cosine of the angle between two vectors.</summary>
internal readonly struct CosineError : ILossFunction
{
    public static LossInfo Info => new(
        "CosineEmbedding", "1 - x for a target of 1, max(0, x - margin) for -1", new(-0.95f, 0.95f, 0), LossTargets.Signs,
        scalars: [new("margin", 0f, "Up to where an x of a target of -1 costs nothing")]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(target, 0f, 1f - x, T.Max(0f, x - s.A));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(target, 0f, -1f, T.IfGreater(s.A, x, 0f, 1f));
}
