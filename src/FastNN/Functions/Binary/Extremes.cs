using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Minimum : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Minimum", "The smaller of a and b, NaN where either is; equal operands share the gradient",
        first: OperandGradient.From(Operands.First | Operands.Second),
        second: OperandGradient.From(Operands.First | Operands.Second), commutative: true,
        takes: OperandTypes.Floats | OperandTypes.Integers,
        torch: "minimum", onnx: "Min", hasTies: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(a, a, T.Min(a, b), a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => T.IfGreater(a, b, 0f, T.IfGreaterOrEqual(a, b, 0.5f * dY, dY));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => T.IfGreater(b, a, 0f, T.IfGreaterOrEqual(b, a, 0.5f * dY, dY));
}

internal readonly struct Maximum : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Maximum", "The larger of a and b, NaN where either is; equal operands share the gradient",
        first: OperandGradient.From(Operands.First | Operands.Second),
        second: OperandGradient.From(Operands.First | Operands.Second), commutative: true,
        takes: OperandTypes.Floats | OperandTypes.Integers,
        torch: "maximum", onnx: "Max", hasTies: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(a, a, T.Max(a, b), a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => T.IfGreater(b, a, 0f, T.IfGreaterOrEqual(b, a, 0.5f * dY, dY));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => T.IfGreater(a, b, 0f, T.IfGreaterOrEqual(a, b, 0.5f * dY, dY));
}
