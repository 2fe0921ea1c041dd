using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Sqrt : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Sqrt", "The square root of x", reads: Reads.Output, torch: "sqrt", onnx: "Sqrt", samples: new(0.1f, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Sqrt(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => 0.5f * dY / y;
}

internal readonly struct Rsqrt : IUnaryFunction
{
    public static FunctionInfo Info => new("Rsqrt", "1 / sqrt(x)", reads: Reads.Output, torch: "rsqrt", samples: new(0.1f, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => 1f / T.Sqrt(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => -0.5f * dY * (y * y * y);
}

internal readonly struct Square : IUnaryFunction
{
    public static FunctionInfo Info => new("Square", "x * x", torch: "square");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => x * x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * (x + x);
}

internal readonly struct Reciprocal : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Reciprocal", "1 / x", reads: Reads.Output, torch: "reciprocal", onnx: "Reciprocal", samples: new(0.2f, 5));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => 1f / x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => -dY * (y * y);
}
