using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>The gradient passes where y is NaN, as in PyTorch.</summary>
internal readonly struct Relu : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "ReLU", "max(0, x); its derivative at 0 is 0, as in PyTorch",
        reads: Reads.Output, activation: true, epilogue: true, torch: "relu", onnx: "Relu");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(0f, x, 0f, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(0f, y, 0f, dY);
}

/// <summary>From y where the slope is positive, as x and y have the same sign then.</summary>
internal readonly struct LeakyRelu : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "LeakyReLU", "x for x > 0, else slope * x",
        scalars: [new("slope", 0.01f, "Of the line for negative x", Torch: "negative_slope", Onnx: "alpha")],
        readsBy: s => s.First > 0 ? Reads.Output : Reads.Input, activation: true, epilogue: true, torch: "leaky_relu",
        onnx: "LeakyRelu");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(x, 0f, x, x * s.A);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T xOrY, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(xOrY, 0f, dY, dY * s.A);
}

internal readonly struct Threshold : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Threshold", "x above a threshold, else a value of one's own",
        scalars: [new("threshold", 0, "Above it x is kept"), new("value", 0, "What replaces the others")], activation: true,
        torch: "threshold",
        onnx: "ThresholdedRelu");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(s.A, x, s.B, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(s.A, x, 0f, dY);
}
