using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct BitwiseAnd : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "BitwiseAnd", "The bits that a and b have both", commutative: true, takes: OperandTypes.Integers,
        torch: "bitwise_and", onnx: "BitwiseAnd");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.BitwiseAnd(a, b);
}

internal readonly struct BitwiseOr : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "BitwiseOr", "The bits that a or b or both have", commutative: true, takes: OperandTypes.Integers,
        torch: "bitwise_or", onnx: "BitwiseOr");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.BitwiseOr(a, b);
}

internal readonly struct BitwiseXor : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "BitwiseXor", "The bits that one of a and b has and the other has not", commutative: true, takes: OperandTypes.Integers,
        torch: "bitwise_xor", onnx: "BitwiseXor");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.BitwiseXor(a, b);
}

internal readonly struct ShiftLeft : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "ShiftLeft", "a's bits moved up by b places, of which the lowest five bits count; zeros move in",
        takes: OperandTypes.Integers, torch: "bitwise_left_shift", onnx: "BitShift");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.ShiftLeft(a, b);
}

internal readonly struct ShiftRight : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "ShiftRight", "a's bits moved down by b places, of which the lowest five bits count; its sign moves in",
        takes: OperandTypes.Integers, torch: "bitwise_right_shift");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.ShiftRight(a, b);
}
