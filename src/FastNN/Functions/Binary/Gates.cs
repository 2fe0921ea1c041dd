using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>The slope belongs to the negative half, 0 included, as in PyTorch.</summary>
internal readonly struct PRelu : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "PReLU", "a where it is above 0, else a times the slope b, which is learned (He et al., 2015)", hasNumberMethod: false,
        first: OperandGradient.From(Operands.First | Operands.Second), second: OperandGradient.From(Operands.First),
        torch: "prelu", onnx: "PRelu", samples: new(-3, 3, 0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreater(a, 0f, a, a * b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => T.IfGreater(a, 0f, dY, dY * b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => T.IfGreater(a, 0f, 0f, dY * a);
}

/// <summary>The gates of Dauphin et al. (2017) and Shazeer (2020): one value times an activation of another.</summary>
internal readonly struct SigmoidGate : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "SigmoidGate", "a times sigmoid(b)", hasNumberMethod: false, first: OperandGradient.From(Operands.Second),
        second: OperandGradient.From(Operands.First | Operands.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => a * Elementary.Sigmoid(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY * Elementary.Sigmoid(b);

    // 1 - sigmoid(b) is sigmoid(-b), which keeps its digits where b is large.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY * (a * (Elementary.Sigmoid(b) * Elementary.Sigmoid(-b)));
}

internal readonly struct SiLUGate : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "SiLUGate", "a times SiLU(b)", hasNumberMethod: false, first: OperandGradient.From(Operands.Second),
        second: OperandGradient.From(Operands.First | Operands.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => a * SiLU.Value(b, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY * SiLU.Value(b, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => SiLU.Gradient(b, dY * a, default);
}

internal readonly struct GeluGate : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "GeluGate", "a times GELU(b)", hasNumberMethod: false, first: OperandGradient.From(Operands.Second),
        second: OperandGradient.From(Operands.First | Operands.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => a * Gelu.Value(b, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY * Gelu.Value(b, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => Gelu.Gradient(b, dY * a, default);
}

internal readonly struct ReluGate : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "ReLUGate", "a times ReLU(b); the gradient for b is 0 at 0", hasNumberMethod: false,
        first: OperandGradient.From(Operands.Second), second: OperandGradient.From(Operands.First | Operands.Second),
        secondSamples: new(-3, 3, 0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => a * Relu.Value(b, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY * Relu.Value(b, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => T.IfGreater(b, 0f, dY * a, 0f);
}
