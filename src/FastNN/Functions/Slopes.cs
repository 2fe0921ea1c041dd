using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>The gradient of a reduction's term.</summary>
internal interface ISlope
{
    /// <summary>What is added to dX, from the term, the output, what was saved for it, its gradient and a factor.</summary>
    static abstract T Of<T>(T x, T y, T saved, T more, T dY, T scale)
        where T : struct, ILanes<T>;
}

internal static class Slopes
{
    /// <summary>a == b ? x : y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T IfEqual<T>(T a, T b, T x, T y)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(a, b, T.IfGreaterOrEqual(b, a, x, y), y);
}

/// <summary>scale dY.</summary>
internal readonly struct ScaledSlope : ISlope
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x, T y, T saved, T more, T dY, T scale)
        where T : struct, ILanes<T> => dY * scale;
}

/// <summary>dY / saved where x equals y, else 0: ties share.</summary>
internal readonly struct ExtremeSlope : ISlope
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x, T y, T saved, T more, T dY, T scale)
        where T : struct, ILanes<T> => Slopes.IfEqual(x, y, dY / saved, T.Broadcast(0f));
}

/// <summary>scale (x - saved) dY.</summary>
internal readonly struct CenteredSlope : ISlope
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x, T y, T saved, T more, T dY, T scale)
        where T : struct, ILanes<T> => (x - saved) * (dY * scale);
}

/// <summary>scale (x - saved) dY / y, 0 where y is.</summary>
internal readonly struct CenteredOverResultSlope : ISlope
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x, T y, T saved, T more, T dY, T scale)
        where T : struct, ILanes<T> => Slopes.IfEqual(y, T.Broadcast(0f), T.Broadcast(0f), (x - saved) * (dY * scale / y));
}

/// <summary>exp(x - y) dY.</summary>
internal readonly struct ExponentialSlope : ISlope
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x, T y, T saved, T more, T dY, T scale)
        where T : struct, ILanes<T> => Elementary.Exp(x - y) * dY;
}

/// <summary>sign(x) dY.</summary>
internal readonly struct SignSlope : ISlope
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x, T y, T saved, T more, T dY, T scale)
        where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0f);
        return T.IfGreater(x, zero, dY, T.IfGreater(zero, x, -dY, zero));
    }
}

/// <summary>x dY / y, 0 where y is.</summary>
internal readonly struct OverResultSlope : ISlope
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x, T y, T saved, T more, T dY, T scale)
        where T : struct, ILanes<T> => Slopes.IfEqual(y, T.Broadcast(0f), T.Broadcast(0f), x * (dY / y));
}

/// <summary>y dY / x; where x is 0, saved dY if it is the only 0 (more), else 0.</summary>
internal readonly struct ProductSlope : ISlope
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x, T y, T saved, T more, T dY, T scale)
        where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0f);
        T single = Slopes.IfEqual(more, T.Broadcast(1f), saved, zero);
        return Slopes.IfEqual(x, zero, single, y / x) * dY;
    }
}
