using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct ReLU6 : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "ReLU6", "x between 0 and 6; its derivative at both ends is 0, as in PyTorch", reads: Reads.Output, activation: true,
        torch: "relu6", onnx: "Clip", samples: new(-3, 9, 0, 6));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Min(6f, T.Max(0f, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(y, 0f, T.IfGreater(6f, y, dY, 0f), 0f);
}

internal readonly struct Clamp : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Clamp", "x between two bounds, either of which may be infinite; its derivative at both is 1, as in PyTorch",
        scalars:
        [
            new("low", float.NegativeInfinity, "The lower bound", Torch: "min", Onnx: "min"),
            new(
                "high", float.PositiveInfinity, "The upper bound, which wins where the lower is above it", Torch: "max",
                Onnx: "max"),
        ],
        torch: "clamp", onnx: "Clip");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Min(s.B, T.Max(s.A, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(x, s.A, T.IfGreaterOrEqual(s.B, x, dY, 0f), 0f);
}

internal readonly struct HardTanh : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "HardTanh", "x between two bounds; its derivative at both is 0, as in PyTorch",
        scalars: [new("low", -1f, "The lower bound", Torch: "min_val"), new("high", 1f, "The upper bound", Torch: "max_val")],
        reads: Reads.Output, activation: true, torch: "hardtanh", onnx: "Clip", samples: new(-3, 3, -1, 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Min(s.B, T.Max(s.A, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(y, s.A, T.IfGreater(s.B, y, dY, 0f), 0f);
}

internal readonly struct HardSigmoid : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "HardSigmoid", "alpha x + beta between 0 and 1",
        scalars: [new("alpha", 1f / 6, "The slope", Least: 0), new("beta", 0.5f, "The value at 0")],
        reads: Reads.Output, activation: true, torch: "hardsigmoid", onnx: "HardSigmoid", samples: new(-5, 5, -3, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Min(1f, T.Max(0f, T.MultiplyAdd(x, s.A, s.B)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(y, 0f, T.IfGreater(1f, y, dY * s.A, 0f), 0f);
}

internal readonly struct HardSwish : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "HardSwish", "x times (x + 3) / 6, the factor between 0 and 1 (Howard et al., 2019)", activation: true,
        torch: "hardswish", onnx: "HardSwish",
        samples: new(-5, 5, -3, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Max(-3f, x) * T.Min(1f, T.Max(0f, T.MultiplyAdd(x, 1f / 6, 0.5f)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(x, 3f, dY, T.IfGreater(x, -3f, dY * T.MultiplyAdd(x, 1f / 3, 0.5f), 0f));
}
