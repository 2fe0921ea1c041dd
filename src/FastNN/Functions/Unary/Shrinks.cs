using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>Between the bounds it is x times 0, so that NaN stays NaN.</summary>
internal readonly struct Softshrink : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Softshrink", "x moved towards 0 by lambda, and 0 where |x| is at most that",
        scalars: [new("lambda", 0.5f, "The distance", Torch: "lambd", Onnx: "lambd", Least: 0)],
        reads: Reads.Output, activation: true, torch: "softshrink", onnx: "Shrink", samples: new(-3, 3, -0.5f, 0.5f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T lambda = s.A;
        return T.IfGreater(x, lambda, x - lambda, T.IfGreater(-lambda, x, x + lambda, x * 0f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(T.Abs(y), 0f, dY, 0f);
}

internal readonly struct Hardshrink : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Hardshrink", "x, and 0 where |x| is at most lambda",
        scalars: [new("lambda", 0.5f, "The bound", Torch: "lambd", Onnx: "lambd", Least: 0)],
        reads: Reads.Output, activation: true, torch: "hardshrink", onnx: "Shrink", samples: new(-3, 3, -0.5f, 0.5f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(T.Abs(x), s.A, x, x * 0f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(T.Abs(y), 0f, dY, 0f);
}

internal readonly struct Tanhshrink : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Tanhshrink", "x - tanh(x)", activation: true, torch: "tanhshrink");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => x - Elementary.Tanh(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T>
    {
        T tanh = Elementary.Tanh(x);
        return dY * (tanh * tanh);
    }
}
