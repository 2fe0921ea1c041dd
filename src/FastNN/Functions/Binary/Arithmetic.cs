using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Add : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Add", "a + b", "+", isOperatorOnly: true, first: OperandGradient.Upstream, second: OperandGradient.Upstream,
        commutative: true,
        takes: OperandTypes.Floats | OperandTypes.Integers, isArithmetic: true, torch: "add", onnx: "Add");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY;
}

internal readonly struct Subtract : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Subtract", "a - b", "-", isOperatorOnly: true, first: OperandGradient.Upstream, second: OperandGradient.Negated,
        takes: OperandTypes.Floats | OperandTypes.Integers, isArithmetic: true, torch: "sub", onnx: "Sub");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => -dY;
}

internal readonly struct Multiply : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Multiply", "a * b", "*", isOperatorOnly: true, first: OperandGradient.Product, second: OperandGradient.Product,
        commutative: true,
        takes: OperandTypes.Floats | OperandTypes.Integers, isArithmetic: true, torch: "mul", onnx: "Mul");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY * a;
}

internal readonly struct Divide : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Divide", "a / b, the quotient rounded once", "/", isOperatorOnly: true, first: OperandGradient.From(Operands.Second),
        second: OperandGradient.From(Operands.Second | Operands.Output), isArithmetic: true, torch: "div", onnx: "Div",
        secondSamples: new(0.4f, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => -dY * (y / b);
}

internal readonly struct Pow : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Pow", "a to the power of b; a below 0 has powers of integral b", hasNumberMethod: false,
        first: OperandGradient.From(Operands.First | Operands.Second),
        second: OperandGradient.From(Operands.First | Operands.Second | Operands.Output), torch: "pow", onnx: "Pow",
        samples: new(0.2f, 3),
        secondSamples: new(-2, 2.5f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => Elementary.Power(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => Elementary.IfEqual(b, 0f, 0f, dY * (b * Elementary.Power(a, b - 1f)));

    // 0^b is 0 for all b above 0, whatever log 0 says.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> =>
            Elementary.IfEqual(a, 0f, T.IfGreaterOrEqual(b, 0f, 0f, dY * (y * T.Log(a))), dY * (y * T.Log(a)));
}
