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
    public static Value Not(this Value x) => Record<Xor>(x, 1);

    /// <summary>
    /// a to the power of a number, element by element; a below 0 has powers of integers. 2, 0.5, -0.5 and -1 are a square, roots
    /// and a quotient.
    /// </summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">A number.</param>
    /// <returns>A value of a's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Pow(this Value a, float b) => b switch
    {
        2 => a.Square(),
        0.5f => a.Sqrt(),
        -0.5f => a.Rsqrt(),
        -1 => a.Reciprocal(),
        _ => Record<Pow>(a, b),
    };

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
