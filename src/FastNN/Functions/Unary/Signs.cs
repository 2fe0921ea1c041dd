using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Abs : IUnaryFunction
{
    public static FunctionInfo Info =>
        new("Abs", "The absolute value of x; its derivative at 0 is 0, as in PyTorch", torch: "abs", onnx: "Abs");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Abs(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(x, 0f, dY, T.IfGreater(0f, x, -dY, 0f));
}

internal readonly struct Negate : IUnaryFunction
{
    public static FunctionInfo Info => new("Negate", "-x", reads: Reads.Nothing, torch: "neg", onnx: "Neg");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => -x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => -dY;
}

internal readonly struct Sign : IUnaryFunction
{
    public static FunctionInfo Info =>
        new(
            "Sign", "1 for x > 0, -1 for x < 0, else x; its derivative is 0 everywhere", reads: Reads.Nothing, torch: "sign",
            onnx: "Sign");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.IfGreater(x, 0f, 1f, T.IfGreater(0f, x, -1f, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => 0f;
}
