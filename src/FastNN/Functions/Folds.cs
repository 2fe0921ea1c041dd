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

    /// <summary>Two folds as one; of many terms, in double.</summary>
    static abstract T Join<T>(T a, T b)
        where T : struct, ILanes<T>;

    /// <summary>The result, from the whole fold, in double.</summary>
    static virtual T Finish<T>(T folded, T center)
        where T : struct, ILanes<T> => folded;
}

/// <summary>A sum of terms.</summary>
internal interface ISumFold : IFold
{
    static float IFold.Start => 0;

    static T IFold.Join<T>(T a, T b) => a + b;
}

internal readonly struct SumFold : ISumFold
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + x;
}

/// <summary>The sum of |x|.</summary>
internal readonly struct MagnitudesFold : ISumFold
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + T.Abs(x);
}

/// <summary>The sum of x^2.</summary>
internal readonly struct SquaresFold : ISumFold
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => T.MultiplyAdd(x, x, folded);
}

/// <summary>How many terms equal the center.</summary>
internal readonly struct EqualFold : ISumFold
{
    public static bool HasCenter => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + Slopes.IfEqual(x, center, T.Broadcast(1f), T.Broadcast(0f));
}

/// <summary>How many terms are 0.</summary>
internal readonly struct ZerosFold : ISumFold
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + Slopes.IfEqual(x, T.Broadcast(0f), T.Broadcast(1f), T.Broadcast(0f));
}

/// <summary>The sum of (x - center)^2.</summary>
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

/// <summary>center + log of the sum of exp(x - center).</summary>
internal readonly struct LogOfExponentialsFold : ISumFold
{
    public static bool HasCenter => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded + Elementary.Exp(x - center);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Finish<T>(T folded, T center)
        where T : struct, ILanes<T> => center + T.Log(folded);
}

/// <summary>The largest term; NaN wins, as in PyTorch.</summary>
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
}

/// <summary>The smallest term; NaN wins, as in PyTorch.</summary>
internal readonly struct SmallestFold : IFold
{
    public static float Start => float.PositiveInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => Join(folded, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(a, a, T.IfGreaterOrEqual(b, a, a, b), a);
}

/// <summary>The largest term, or 0 where that is infinite: what exponentials are taken relative to.</summary>
internal readonly struct AnchorFold : IFold
{
    public static float Start => float.NegativeInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => LargestFold.Join(folded, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join<T>(T a, T b)
        where T : struct, ILanes<T> => LargestFold.Join(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Finish<T>(T folded, T center)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(T.Abs(folded), float.PositiveInfinity, 0f, folded);
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
}

/// <summary>The product of all terms but zeros.</summary>
internal readonly struct NonZeroProductFold : IFold
{
    public static float Start => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T folded, T x, T center)
        where T : struct, ILanes<T> => folded * Slopes.IfEqual(x, T.Broadcast(0f), T.Broadcast(1f), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join<T>(T a, T b)
        where T : struct, ILanes<T> => a * b;
}
