using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>
/// Of the arc tangent, so that no digits are lost near the ends, where the arc sine's own series would cancel.
/// </summary>
internal readonly struct Asin : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Asin", "The angle in radians, -pi / 2 to pi / 2, whose sine is x; NaN where |x| is above 1", torch: "asin",
        onnx: "Asin", samples: new(-0.95f, 0.95f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.ArcTangent(x / T.Sqrt((1f - x) * (1f + x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY / T.Sqrt((1f - x) * (1f + x));
}

/// <summary>Twice the arc tangent of half the angle's tangent, which is exact near 1.</summary>
internal readonly struct Acos : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Acos", "The angle in radians, 0 to pi, whose cosine is x; NaN where |x| is above 1", torch: "acos", onnx: "Acos",
        samples: new(-0.95f, 0.95f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => 2f * Elementary.ArcTangent(T.Sqrt((1f - x) / (1f + x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => -dY / T.Sqrt((1f - x) * (1f + x));
}

internal readonly struct Asinh : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Asinh", "The number whose hyperbolic sine is x", torch: "asinh", onnx: "Asinh", samples: new(-6, 6));

    // log(1 + u) with u = |x| + x^2 / (1 + sqrt(1 + x^2)) keeps the digits of a small x; the square of a large one would
    // overflow.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T size = T.Abs(x), square = x * x;
        T near = Elementary.LogOnePlusAny(size + (square / (1f + T.Sqrt(1f + square))));
        T y = T.IfGreater(size, 1e9f, T.Log(size) + 0.693147181f, near);
        return T.IfGreater(0f, x, -y, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY / T.Sqrt(T.MultiplyAdd(x, x, 1f));
}

internal readonly struct Acosh : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Acosh", "The number of at least 0 whose hyperbolic cosine is x; NaN below 1", torch: "acosh", onnx: "Acosh",
        samples: new(1.1f, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T above = x - 1f;
        T near = Elementary.LogOnePlusAny(above + T.Sqrt(above * (above + 2f)));
        return T.IfGreater(x, 1e9f, T.Log(x) + 0.693147181f, near);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY / T.Sqrt((x - 1f) * (x + 1f));
}

internal readonly struct Atanh : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Atanh", "The number whose hyperbolic tangent is x; infinite at -1 and 1, NaN beyond", torch: "atanh", onnx: "Atanh",
        samples: new(-0.95f, 0.95f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T size = T.Abs(x);
        T y = 0.5f * Elementary.LogOnePlusAny((size + size) / (1f - size));
        return T.IfGreater(0f, x, -y, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY / ((1f - x) * (1f + x));
}
