using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Exp : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Exp", "e to the power of x", reads: Reads.Output, torch: "exp", onnx: "Exp", samples: new(-5, 5));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.Exp(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * y;
}

internal readonly struct Log : IUnaryFunction
{
    public static FunctionInfo Info => new("Log", "The natural logarithm of x", torch: "log", onnx: "Log", samples: new(0.1f, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Log(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY / x;
}

internal readonly struct Expm1 : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Expm1", "exp(x) - 1, exact near 0", reads: Reads.Output, torch: "expm1", samples: new(-5, 5));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.ExpMinusOne(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * (y + 1f);
}

internal readonly struct Log1p : IUnaryFunction
{
    public static FunctionInfo Info => new("Log1p", "log(1 + x), exact near 0", torch: "log1p", samples: new(-0.9f, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.LogOnePlusAny(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY / (1f + x);
}

internal readonly struct Log2 : IUnaryFunction
{
    public static FunctionInfo Info => new("Log2", "The logarithm of x to the base 2", torch: "log2", samples: new(0.1f, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Log(x) * 1.44269504f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * 1.44269504f / x;
}

internal readonly struct Log10 : IUnaryFunction
{
    public static FunctionInfo Info => new("Log10", "The logarithm of x to the base 10", torch: "log10", samples: new(0.1f, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Log(x) * 0.434294482f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * 0.434294482f / x;
}

internal readonly struct Sinh : IUnaryFunction
{
    public static FunctionInfo Info => new("Sinh", "The hyperbolic sine of x", torch: "sinh", onnx: "Sinh", samples: new(-4, 4));

    // With e = exp(|x|) - 1 it is (e + e / (e + 1)) / 2, which keeps its digits near 0; where e is infinite so is the result.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T e = Elementary.ExpMinusOne(T.Abs(x));
        T size = 0.5f * T.IfGreater(e, 1e9f, e, e + (e / (e + 1f)));
        return T.IfGreater(0f, x, -size, size);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * Cosh.Value(x, s);
}

internal readonly struct Cosh : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Cosh", "The hyperbolic cosine of x", torch: "cosh", onnx: "Cosh", samples: new(-4, 4));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T e = Elementary.Exp(T.Abs(x));
        return 0.5f * (e + (1f / e));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * Sinh.Value(x, s);
}
