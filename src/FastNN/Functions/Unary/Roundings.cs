using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Round : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Round", "The nearest integer, ties to even; its derivative is 0 everywhere", reads: Reads.Nothing, torch: "round",
        onnx: "Round",
        samples: new(-2.4f, 2.4f, -1.5f, -0.5f, 0.5f, 1.5f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Round(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => 0f;
}

internal readonly struct Floor : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Floor", "The largest integer that is at most x; its derivative is 0 everywhere", reads: Reads.Nothing, torch: "floor",
        onnx: "Floor",
        samples: new(-2.9f, 2.9f, -2, -1, 0, 1, 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T nearest = T.Round(x);
        return T.IfGreater(nearest, x, nearest - 1f, nearest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => 0f;
}

internal readonly struct Ceiling : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Ceiling", "The least integer that is at least x; its derivative is 0 everywhere", reads: Reads.Nothing, torch: "ceil",
        onnx: "Ceil",
        samples: new(-2.9f, 2.9f, -2, -1, 0, 1, 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T nearest = T.Round(x);
        return T.IfGreater(x, nearest, nearest + 1f, nearest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => 0f;
}
