using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>At the origin, where there is no angle, both gradients are 0.</summary>
internal readonly struct Atan2 : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Atan2", "The angle in radians, -pi to pi, of the point with the ordinate a and the abscissa b",
        first: OperandGradient.From(Operands.First | Operands.Second),
        second: OperandGradient.From(Operands.First | Operands.Second), torch: "atan2", samples: new(0.2f, 3),
        secondSamples: new(-2, 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T> => Elementary.ArcTangent(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T>
    {
        T square = T.MultiplyAdd(a, a, b * b);
        return Elementary.IfEqual(square, 0f, 0f, dY * (b / square));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T>
    {
        T square = T.MultiplyAdd(a, a, b * b);
        return Elementary.IfEqual(square, 0f, 0f, -dY * (a / square));
    }
}

internal readonly struct Hypot : IBinaryFunction
{
    public static BinaryInfo Info => new(
        "Hypot", "The square root of a^2 + b^2, without overflow; NaN gradients where both are 0, as in PyTorch",
        first: OperandGradient.From(Operands.First | Operands.Output),
        second: OperandGradient.From(Operands.Second | Operands.Output), commutative: true, torch: "hypot",
        samples: new(0.2f, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T a, T b)
        where T : struct, ILanes<T>
    {
        T x = T.Abs(a), y = T.Abs(b);
        T large = T.IfGreater(x, y, x, y), small = T.IfGreater(x, y, y, x);
        T ratio = small / large;
        T length = large * T.Sqrt(T.MultiplyAdd(ratio, ratio, 1f));

        // Zeros and infinities have no ratio; an infinite side beside NaN is infinite, as in C.
        length = Elementary.IfEqual(large, 0f, small, length);
        return T.IfGreater(x, float.MaxValue, x, T.IfGreater(y, float.MaxValue, y, length));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY * (a / y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => dY * (b / y);
}
