using FastNN.Functions;
using FastNN.Ops;

namespace FastNN;

/// <summary>
/// What <see cref="BinaryOperators"/> lacks of arithmetic and logic: <c>-x</c>, <c>!x</c>, and powers of a number, of which some
/// have functions of their own.
/// </summary>
public static class ArithmeticOperators
{
    extension(Value)
    {
        /// <summary>-x.</summary>
        /// <param name="x">Any shape.</param>
        public static Value operator -(Value x) => x.Negate();

        /// <summary>Whether x does not hold, element by element.</summary>
        /// <param name="x">Any shape of Bool.</param>
        /// <returns>Bool of x's shape.</returns>
        /// <exception cref="ShapeException">x is not Bool.</exception>
        public static Value operator !(Value x) => x.Not();
    }

    /// <summary>Whether x does not hold, element by element.</summary>
    /// <param name="x">Any shape of Bool.</param>
    /// <returns>Bool of x's shape.</returns>
    /// <exception cref="ShapeException">x is not Bool.</exception>
    public static Value Not(this Value x) => x.Graph.Compose(() => Record<Xor>(x, 1));

    /// <summary>
    /// a to the power of a number, element by element; a below 0 has powers of integers. 2, 0.5, -0.5 and -1 are a square, roots
    /// and a quotient.
    /// </summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">A number.</param>
    /// <returns>A value of a's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Pow(this Value a, float b) => a.Graph.Compose(() => b switch
    {
        2 => a.Square(),
        0.5f => a.Sqrt(),
        -0.5f => a.Rsqrt(),
        -1 => a.Reciprocal(),
        _ => Record<Pow>(a, b),
    });

    /// <summary>The bits that a has and a mask has too, element by element.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="mask">At most 2^24 in size.</param>
    /// <returns>A value of a's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit, or the mask is too large.</exception>
    public static Value BitwiseAnd(this Value a, int mask) => Record<BitwiseAnd>(a, mask);

    /// <summary>The bits that a or a mask has, element by element.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="mask">At most 2^24 in size.</param>
    /// <returns>A value of a's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit, or the mask is too large.</exception>
    public static Value BitwiseOr(this Value a, int mask) => Record<BitwiseOr>(a, mask);

    /// <summary>The bits in which a and a mask differ, element by element.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="mask">At most 2^24 in size.</param>
    /// <returns>A value of a's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit, or the mask is too large.</exception>
    public static Value BitwiseXor(this Value a, int mask) => Record<BitwiseXor>(a, mask);

    /// <summary>The bits that a has not: -1 - a, element by element.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <returns>A value of a's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value BitwiseNot(this Value a) => a.Graph.Compose(() => Record<BitwiseXor>(a, -1));

    /// <summary>a's bits moved up, zeros moving in, element by element.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="places">0 to 31.</param>
    /// <returns>A value of a's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of places is another.</exception>
    public static Value ShiftLeft(this Value a, int places) => Record<ShiftLeft>(a, Places(nameof(ShiftLeft), places));

    /// <summary>a's bits moved down, its sign moving in, element by element.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="places">0 to 31.</param>
    /// <returns>A value of a's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of places is another.</exception>
    public static Value ShiftRight(this Value a, int places) => Record<ShiftRight>(a, Places(nameof(ShiftRight), places));

    private static int Places(string name, int places) => places is >= 0 and <= 31
        ? places
        : throw new ArgumentOutOfRangeException(nameof(places), $"{name}: expected 0 to 31 places, got {places}.");

    internal static Value Record<TFunction>(Value a, Value b)
        where TFunction : struct, IBinaryFunction
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return a.Graph.Add(new BinaryOp(BinaryFunction.Of<TFunction>()), a, b);
    }

    internal static Value Record<TFunction>(Value a, float b)
        where TFunction : struct, IBinaryFunction => WithNumber<TFunction>(a, b, numberFirst: false);

    internal static Value Record<TFunction>(float a, Value b)
        where TFunction : struct, IBinaryFunction => WithNumber<TFunction>(b, a, numberFirst: true);

    private static Value WithNumber<TFunction>(Value x, float number, bool numberFirst)
        where TFunction : struct, IBinaryFunction
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Graph.Add(new BinaryOp(BinaryFunction.Of<TFunction>(), BitConverter.SingleToInt32Bits(number), numberFirst), x);
    }
}
