using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Elu : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Elu", "x for x > 0, else alpha (exp(x) - 1) (Clevert et al., 2015)",
        scalars: [new("alpha", 1f, "The limit for large negative x is -alpha", Least: 0)],
        reads: Reads.Output, activation: true, torch: "elu", onnx: "Elu");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(x, 0f, x, s.A * Elementary.ExpMinusOne(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(y, 0f, dY, dY * (y + s.A));
}

internal readonly struct Celu : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Celu", "x for x > 0, else alpha (exp(x / alpha) - 1) (Barron, 2017)",
        scalars: [new("alpha", 1f, "The limit for large negative x is -alpha", Least: 1e-6f)],
        reads: Reads.Output, activation: true, torch: "celu", onnx: "Celu");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(x, 0f, x, s.A * Elementary.ExpMinusOne(x / s.A));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(y, 0f, dY, dY * ((y / s.A) + 1f));
}

internal readonly struct Selu : IUnaryFunction
{
    private const float Scale = 1.05070098735548f, ScaledAlpha = 1.75809934084738f;

    public static FunctionInfo Info => new(
        "Selu", "The ELU whose constants keep mean 0 and variance 1 (Klambauer et al., 2017)", reads: Reads.Output,
        activation: true,
        torch: "selu", onnx: "Selu");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(x, 0f, Scale * x, ScaledAlpha * Elementary.ExpMinusOne(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T y, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * T.IfGreater(y, 0f, Scale, y + ScaledAlpha);
}
