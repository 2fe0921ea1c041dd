using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Sin : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Sin", "The sine of x, for |x| up to 8192", torch: "sin", onnx: "Sin", samples: new(-20, 20));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.Sine(x, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * Elementary.Sine(x, 1);
}

internal readonly struct Cos : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Cos", "The cosine of x, for |x| up to 8192", torch: "cos", onnx: "Cos", samples: new(-20, 20));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.Sine(x, 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * Elementary.Sine(x, 2);
}

internal readonly struct Tan : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Tan", "The tangent of x in radians", reads: Reads.Output, torch: "tan", onnx: "Tan", samples: new(-1.3f, 1.3f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.Sine(x, 0) / Elementary.Sine(x, 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * T.MultiplyAdd(y, y, 1f);
}

internal readonly struct Atan : IUnaryFunction
{
    public static FunctionInfo Info =>
        new(
            "Atan", "The angle in radians, -pi / 2 to pi / 2, whose tangent is x", torch: "atan", onnx: "Atan",
            samples: new(-5, 5));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.ArcTangent(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY / T.MultiplyAdd(x, x, 1f);
}
