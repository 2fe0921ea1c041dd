using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Softplus : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Softplus", "log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold",
        scalars: [new("beta", 1f, "Steepness", Least: 1e-6f), new("threshold", 20f, "Where the function becomes x")],
        activation: true, torch: "softplus", samples: new(-6, 6));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T b = x * s.A;
        T soft = T.Max(0f, b) + Elementary.LogOnePlus(Elementary.Exp(-T.Abs(b)));
        return T.IfGreater(b, s.B, x, soft / s.A);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T>
    {
        T b = x * s.A;
        return T.IfGreater(b, s.B, dY, dY * Elementary.Sigmoid(b));
    }
}

internal readonly struct Softsign : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Softsign", "x / (1 + |x|)", activation: true, torch: "softsign", onnx: "Softsign");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => x / (1f + T.Abs(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T>
    {
        T size = 1f + T.Abs(x);
        return dY / (size * size);
    }
}

internal readonly struct LogSigmoid : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "LogSigmoid", "log(1 / (1 + exp(-x))), computed without overflow", activation: true, torch: "logsigmoid",
        samples: new(-9, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Min(x, 0f) - Elementary.LogOnePlus(Elementary.Exp(-T.Abs(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * Elementary.Sigmoid(-x);
}
