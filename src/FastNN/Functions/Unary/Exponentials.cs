using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Exp : IUnaryFunction
{
    public static FunctionInfo Info => new("Exp", "e to the power of x", reads: Reads.Output, torch: "exp", onnx: "Exp", samples: new(-5, 5));

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
    public static FunctionInfo Info => new("Expm1", "exp(x) - 1, exact near 0", reads: Reads.Output, torch: "expm1", samples: new(-5, 5));

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
