using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>The gradient for b is -dY times the whole quotient, which is (a - y) / b again.</summary>
internal readonly struct Fmod : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Fmod", "The remainder of a / b with a's sign, exact for quotients up to 2^24; NaN where b is 0",
        first: OperandGradient.Upstream, second: OperandGradient.From(Operands.First | Operands.Second | Operands.Output),
        torch: "fmod", onnx: "Mod", samples: new(5.4f, 6.4f), secondSamples: new(2.2f, 2.6f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => Elementary.Remainder(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => -dY * T.Round((a - y) / b);
}

internal readonly struct Remainder : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Remainder", "a % b as in Python, with b's sign, exact for quotients up to 2^24; NaN where b is 0", "%",
        first: OperandGradient.Upstream, second: OperandGradient.From(Operands.First | Operands.Second | Operands.Output),
        torch: "remainder", samples: new(-6.4f, -5.4f), secondSamples: new(2.2f, 2.6f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T>
    {
        T rest = Elementary.Remainder(a, b);
        T up = T.IfGreater(0f, rest, rest + b, rest), down = T.IfGreater(rest, 0f, rest + b, rest);
        return T.IfGreater(b, 0f, up, down);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => -dY * T.Round((a - y) / b);
}
