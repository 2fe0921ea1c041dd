using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Equal : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Equal", "Whether a equals b; false where either is NaN", commutative: true,
        takes: OperandTypes.Floats | OperandTypes.Integers | OperandTypes.Truths, givesTruth: true, torch: "eq", onnx: "Equal",
        hasTies: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => Elementary.IfEqual(a, b, 1f, 0f);
}

internal readonly struct NotEqual : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "NotEqual", "Whether a differs from b; true where either is NaN", commutative: true,
        takes: OperandTypes.Floats | OperandTypes.Integers | OperandTypes.Truths, givesTruth: true, torch: "ne", hasTies: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => Elementary.IfEqual(a, b, 0f, 1f);
}

internal readonly struct Less : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Less", "Whether a is less than b; false where either is NaN", "<",
        takes: OperandTypes.Floats | OperandTypes.Integers, givesTruth: true, torch: "lt", onnx: "Less", hasTies: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreater(b, a, 1f, 0f);
}

internal readonly struct LessOrEqual : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "LessOrEqual", "Whether a is at most b; false where either is NaN", "<=",
        takes: OperandTypes.Floats | OperandTypes.Integers, givesTruth: true, torch: "le", onnx: "LessOrEqual", hasTies: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(b, a, 1f, 0f);
}

internal readonly struct Greater : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Greater", "Whether a is greater than b; false where either is NaN", ">",
        takes: OperandTypes.Floats | OperandTypes.Integers, givesTruth: true, torch: "gt", onnx: "Greater", hasTies: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreater(a, b, 1f, 0f);
}

internal readonly struct GreaterOrEqual : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "GreaterOrEqual", "Whether a is at least b; false where either is NaN", ">=",
        takes: OperandTypes.Floats | OperandTypes.Integers, givesTruth: true, torch: "ge", onnx: "GreaterOrEqual", hasTies: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(a, b, 1f, 0f);
}
