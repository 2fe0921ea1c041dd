using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct And : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "And", "Whether both a and b hold", "&", commutative: true, takes: OperandTypes.Truths, givesTruth: true,
        torch: "logical_and", onnx: "And");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.Min(a, b);
}

internal readonly struct Or : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Or", "Whether a or b or both hold", "|", commutative: true, takes: OperandTypes.Truths, givesTruth: true,
        torch: "logical_or", onnx: "Or");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => T.Max(a, b);
}

internal readonly struct Xor : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Xor", "Whether one of a and b holds and the other does not", "^", commutative: true, takes: OperandTypes.Truths,
        givesTruth: true, torch: "logical_xor", onnx: "Xor");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => Elementary.IfEqual(a, b, 0f, 1f);
}
