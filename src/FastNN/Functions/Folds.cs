using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>A reduction's term: what is added to, or chosen against, what has been folded so far.</summary>
internal interface IFold
{
    /// <summary>The fold of nothing.</summary>
    static abstract float Start { get; }

    /// <summary>Whether a term needs a number of its output.</summary>
    static virtual bool HasCenter => false;

    /// <summary>The fold with one more term.</summary>
    static abstract T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T>;

    /// <summary>Two folds as one.</summary>
    static abstract T Join<T>(T a, T b)
        where T : struct, ILanes<T>;

    /// <summary>Two folds of many terms as one.</summary>
    static abstract double Join(double a, double b);

    /// <summary>The result, from the whole fold.</summary>
    static virtual double Finish(double folded, float center) => folded;
}

/// <summary>A sum of terms.</summary>
internal interface ISumFold : IFold
{
    static float IFold.Start => 0;

    static T IFold.Join<T>(T a, T b) => a + b;

    static double IFold.Join(double a, double b) => a + b;
}

internal readonly struct SumFold : ISumFold
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + x;
}

internal readonly struct MagnitudesFold : ISumFold
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + T.Abs(x);
}

internal readonly struct SquaresFold : ISumFold
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => T.MultiplyAdd(x, x, folded);
}

internal readonly struct EqualFold : ISumFold
{
    public static bool HasCenter => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + Slopes.IfEqual(x, center, T.Broadcast(1f), T.Broadcast(0f));
}

internal readonly struct ZerosFold : ISumFold
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + Slopes.IfEqual(x, T.Broadcast(0f), T.Broadcast(1f), T.Broadcast(0f));
}

internal readonly struct CenteredSquaresFold : ISumFold
{
    public static bool HasCenter => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T>
    {
        T distance = x - center;
        return T.MultiplyAdd(distance, distance, folded);
    }
}

internal readonly struct LogOfExponentialsFold : ISumFold
{
    public static bool HasCenter => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + Elementary.Exp(x - center);

    public static double Finish(double folded, float center) => center + Math.Log(folded);
}

/// <summary>NaN wins, as in PyTorch.</summary>
internal readonly struct LargestFold : IFold
{
    public static float Start => float.NegativeInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => Join(folded, x);

    // The comparison fails where b is NaN, which is then taken; the second keeps a NaN in a.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(a, a, T.IfGreaterOrEqual(a, b, a, b), a);

    public static double Join(double a, double b) => Math.Max(a, b);
}

/// <summary>NaN wins, as in PyTorch.</summary>
internal readonly struct SmallestFold : IFold
{
    public static float Start => float.PositiveInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => Join(folded, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(a, a, T.IfGreaterOrEqual(b, a, a, b), a);

    public static double Join(double a, double b) => Math.Min(a, b);
}

internal readonly struct AnchorFold : IFold
{
    public static float Start => float.NegativeInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => LargestFold.Join(folded, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join<T>(T a, T b)
        where T : struct, ILanes<T> => LargestFold.Join(a, b);

    public static double Join(double a, double b) => Math.Max(a, b);

    public static double Finish(double folded, float center) => double.IsInfinity(folded) ? 0 : folded;
}

internal readonly struct ProductFold : IFold
{
    public static float Start => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded * x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join<T>(T a, T b)
        where T : struct, ILanes<T> => a * b;

    public static double Join(double a, double b) => a * b;
}

internal readonly struct NonZeroProductFold : IFold
{
    public static float Start => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded * Slopes.IfEqual(x, T.Broadcast(0f), T.Broadcast(1f), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join<T>(T a, T b)
        where T : struct, ILanes<T> => a * b;

    public static double Join(double a, double b) => a * b;
}
