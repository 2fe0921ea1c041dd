using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Sigmoid : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Sigmoid", "1 / (1 + exp(-x))",
        reads: Reads.Output, activation: true, epilogue: true, torch: "sigmoid", onnx: "Sigmoid", samples: new(-9, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.Sigmoid(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * (y * (1f - y));
}

/// <summary>The slope (1 - y)(1 + y), written so that nothing cancels near |y| = 1.</summary>
internal readonly struct Tanh : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Tanh", "The hyperbolic tangent",
        reads: Reads.Output, activation: true, epilogue: true, torch: "tanh", onnx: "Tanh", samples: new(-5, 5));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.Tanh(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * ((1f - y) * (1f + y));
}
