// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
namespace FastNN;

/// <summary>Arithmetic, comparisons and logic, of two values or of a value and a number: <c>0.5f * (a - b) / c</c>. A number takes no memory.</summary>
public static class BinaryOperators
{
    extension(Value)
    {
        /// <summary>a + b, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>A value of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator +(Value a, Value b) => ArithmeticOperators.Record<Functions.Add>(a, b);

        /// <summary>a + b, element by element.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">A number.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator +(Value a, float b) => ArithmeticOperators.Record<Functions.Add>(a, b);

        /// <summary>a + b, element by element.</summary>
        /// <param name="a">A number.</param>
        /// <param name="b">Any shape of Float32 or Int32.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator +(float a, Value b) => ArithmeticOperators.Record<Functions.Add>(a, b);

        /// <summary>a - b, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>A value of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator -(Value a, Value b) => ArithmeticOperators.Record<Functions.Subtract>(a, b);

        /// <summary>a - b, element by element.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">A number.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator -(Value a, float b) => ArithmeticOperators.Record<Functions.Subtract>(a, b);

        /// <summary>a - b, element by element.</summary>
        /// <param name="a">A number.</param>
        /// <param name="b">Any shape of Float32 or Int32.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator -(float a, Value b) => ArithmeticOperators.Record<Functions.Subtract>(a, b);

        /// <summary>a * b, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>A value of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator *(Value a, Value b) => ArithmeticOperators.Record<Functions.Multiply>(a, b);

        /// <summary>a * b, element by element.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">A number.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator *(Value a, float b) => ArithmeticOperators.Record<Functions.Multiply>(a, b);

        /// <summary>a * b, element by element.</summary>
        /// <param name="a">A number.</param>
        /// <param name="b">Any shape of Float32 or Int32.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator *(float a, Value b) => ArithmeticOperators.Record<Functions.Multiply>(a, b);

        /// <summary>a / b, the quotient rounded once, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Float32.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>A value of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator /(Value a, Value b) => ArithmeticOperators.Record<Functions.Divide>(a, b);

        /// <summary>a / b, the quotient rounded once, element by element.</summary>
        /// <param name="a">Any shape of Float32.</param>
        /// <param name="b">A number.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator /(Value a, float b) => ArithmeticOperators.Record<Functions.Divide>(a, b);

        /// <summary>a / b, the quotient rounded once, element by element.</summary>
        /// <param name="a">A number.</param>
        /// <param name="b">Any shape of Float32.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator /(float a, Value b) => ArithmeticOperators.Record<Functions.Divide>(a, b);

        /// <summary>Whether a is less than b; false where either is NaN, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>Bool of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator <(Value a, Value b) => ArithmeticOperators.Record<Functions.Less>(a, b);

        /// <summary>Whether a is less than b; false where either is NaN, element by element.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">A number.</param>
        /// <returns>Bool of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator <(Value a, float b) => ArithmeticOperators.Record<Functions.Less>(a, b);

        /// <summary>Whether a is less than b; false where either is NaN, element by element.</summary>
        /// <param name="a">A number.</param>
        /// <param name="b">Any shape of Float32 or Int32.</param>
        /// <returns>Bool of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator <(float a, Value b) => ArithmeticOperators.Record<Functions.Less>(a, b);

        /// <summary>Whether a is at most b; false where either is NaN, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>Bool of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator <=(Value a, Value b) => ArithmeticOperators.Record<Functions.LessOrEqual>(a, b);

        /// <summary>Whether a is at most b; false where either is NaN, element by element.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">A number.</param>
        /// <returns>Bool of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator <=(Value a, float b) => ArithmeticOperators.Record<Functions.LessOrEqual>(a, b);

        /// <summary>Whether a is at most b; false where either is NaN, element by element.</summary>
        /// <param name="a">A number.</param>
        /// <param name="b">Any shape of Float32 or Int32.</param>
        /// <returns>Bool of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator <=(float a, Value b) => ArithmeticOperators.Record<Functions.LessOrEqual>(a, b);

        /// <summary>Whether a is greater than b; false where either is NaN, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>Bool of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator >(Value a, Value b) => ArithmeticOperators.Record<Functions.Greater>(a, b);

        /// <summary>Whether a is greater than b; false where either is NaN, element by element.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">A number.</param>
        /// <returns>Bool of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator >(Value a, float b) => ArithmeticOperators.Record<Functions.Greater>(a, b);

        /// <summary>Whether a is greater than b; false where either is NaN, element by element.</summary>
        /// <param name="a">A number.</param>
        /// <param name="b">Any shape of Float32 or Int32.</param>
        /// <returns>Bool of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator >(float a, Value b) => ArithmeticOperators.Record<Functions.Greater>(a, b);

        /// <summary>Whether a is at least b; false where either is NaN, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>Bool of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator >=(Value a, Value b) => ArithmeticOperators.Record<Functions.GreaterOrEqual>(a, b);

        /// <summary>Whether a is at least b; false where either is NaN, element by element.</summary>
        /// <param name="a">Any shape of Float32 or Int32.</param>
        /// <param name="b">A number.</param>
        /// <returns>Bool of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator >=(Value a, float b) => ArithmeticOperators.Record<Functions.GreaterOrEqual>(a, b);

        /// <summary>Whether a is at least b; false where either is NaN, element by element.</summary>
        /// <param name="a">A number.</param>
        /// <param name="b">Any shape of Float32 or Int32.</param>
        /// <returns>Bool of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator >=(float a, Value b) => ArithmeticOperators.Record<Functions.GreaterOrEqual>(a, b);

        /// <summary>Whether both a and b hold, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Bool.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>Bool of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator &(Value a, Value b) => ArithmeticOperators.Record<Functions.And>(a, b);

        /// <summary>Whether a or b or both hold, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Bool.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>Bool of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator |(Value a, Value b) => ArithmeticOperators.Record<Functions.Or>(a, b);

        /// <summary>Whether one of a and b holds and the other does not, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Bool.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>Bool of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator ^(Value a, Value b) => ArithmeticOperators.Record<Functions.Xor>(a, b);

        /// <summary>a % b as in Python, with b's sign, exact for quotients up to 2^24; NaN where b is 0, element by element, with NumPy's broadcasting.</summary>
        /// <param name="a">Any shape of Float32.</param>
        /// <param name="b">Of a's type.</param>
        /// <returns>A value of the shape that both broadcast to.</returns>
        /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
        public static Value operator %(Value a, Value b) => ArithmeticOperators.Record<Functions.Remainder>(a, b);

        /// <summary>a % b as in Python, with b's sign, exact for quotients up to 2^24; NaN where b is 0, element by element.</summary>
        /// <param name="a">Any shape of Float32.</param>
        /// <param name="b">A number.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator %(Value a, float b) => ArithmeticOperators.Record<Functions.Remainder>(a, b);

        /// <summary>a % b as in Python, with b's sign, exact for quotients up to 2^24; NaN where b is 0, element by element.</summary>
        /// <param name="a">A number.</param>
        /// <param name="b">Any shape of Float32.</param>
        /// <returns>A value of the value's shape.</returns>
        /// <exception cref="ShapeException">The type does not fit.</exception>
        public static Value operator %(float a, Value b) => ArithmeticOperators.Record<Functions.Remainder>(a, b);
    }

    /// <summary>a to the power of b; a below 0 has powers of integral b, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Pow(this Value a, Value b) => ArithmeticOperators.Record<Functions.Pow>(a, b);

    /// <summary>The smaller of a and b, NaN where either is; equal operands share the gradient, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Minimum(this Value a, Value b) => ArithmeticOperators.Record<Functions.Minimum>(a, b);

    /// <summary>The smaller of a and b, NaN where either is; equal operands share the gradient, element by element.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">A number.</param>
    /// <returns>A value of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Minimum(this Value a, float b) => ArithmeticOperators.Record<Functions.Minimum>(a, b);

    /// <summary>The larger of a and b, NaN where either is; equal operands share the gradient, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Maximum(this Value a, Value b) => ArithmeticOperators.Record<Functions.Maximum>(a, b);

    /// <summary>The larger of a and b, NaN where either is; equal operands share the gradient, element by element.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">A number.</param>
    /// <returns>A value of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Maximum(this Value a, float b) => ArithmeticOperators.Record<Functions.Maximum>(a, b);

    /// <summary>Whether a equals b; false where either is NaN, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32 or Int32 or Bool.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>Bool of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Equal(this Value a, Value b) => ArithmeticOperators.Record<Functions.Equal>(a, b);

    /// <summary>Whether a equals b; false where either is NaN, element by element.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">A number.</param>
    /// <returns>Bool of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Equal(this Value a, float b) => ArithmeticOperators.Record<Functions.Equal>(a, b);

    /// <summary>Whether a differs from b; true where either is NaN, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32 or Int32 or Bool.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>Bool of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value NotEqual(this Value a, Value b) => ArithmeticOperators.Record<Functions.NotEqual>(a, b);

    /// <summary>Whether a differs from b; true where either is NaN, element by element.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">A number.</param>
    /// <returns>Bool of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value NotEqual(this Value a, float b) => ArithmeticOperators.Record<Functions.NotEqual>(a, b);

    /// <summary>Whether a is less than b; false where either is NaN, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>Bool of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Less(this Value a, Value b) => ArithmeticOperators.Record<Functions.Less>(a, b);

    /// <summary>Whether a is less than b; false where either is NaN, element by element.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">A number.</param>
    /// <returns>Bool of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Less(this Value a, float b) => ArithmeticOperators.Record<Functions.Less>(a, b);

    /// <summary>Whether a is at most b; false where either is NaN, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>Bool of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value LessOrEqual(this Value a, Value b) => ArithmeticOperators.Record<Functions.LessOrEqual>(a, b);

    /// <summary>Whether a is at most b; false where either is NaN, element by element.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">A number.</param>
    /// <returns>Bool of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value LessOrEqual(this Value a, float b) => ArithmeticOperators.Record<Functions.LessOrEqual>(a, b);

    /// <summary>Whether a is greater than b; false where either is NaN, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>Bool of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Greater(this Value a, Value b) => ArithmeticOperators.Record<Functions.Greater>(a, b);

    /// <summary>Whether a is greater than b; false where either is NaN, element by element.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">A number.</param>
    /// <returns>Bool of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Greater(this Value a, float b) => ArithmeticOperators.Record<Functions.Greater>(a, b);

    /// <summary>Whether a is at least b; false where either is NaN, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>Bool of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value GreaterOrEqual(this Value a, Value b) => ArithmeticOperators.Record<Functions.GreaterOrEqual>(a, b);

    /// <summary>Whether a is at least b; false where either is NaN, element by element.</summary>
    /// <param name="a">Any shape of Float32 or Int32.</param>
    /// <param name="b">A number.</param>
    /// <returns>Bool of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value GreaterOrEqual(this Value a, float b) => ArithmeticOperators.Record<Functions.GreaterOrEqual>(a, b);

    /// <summary>Whether both a and b hold, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Bool.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>Bool of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value And(this Value a, Value b) => ArithmeticOperators.Record<Functions.And>(a, b);

    /// <summary>Whether a or b or both hold, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Bool.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>Bool of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Or(this Value a, Value b) => ArithmeticOperators.Record<Functions.Or>(a, b);

    /// <summary>Whether one of a and b holds and the other does not, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Bool.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>Bool of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Xor(this Value a, Value b) => ArithmeticOperators.Record<Functions.Xor>(a, b);

    /// <summary>The remainder of a / b with a's sign, exact for quotients up to 2^24; NaN where b is 0, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Fmod(this Value a, Value b) => ArithmeticOperators.Record<Functions.Fmod>(a, b);

    /// <summary>The remainder of a / b with a's sign, exact for quotients up to 2^24; NaN where b is 0, element by element.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">A number.</param>
    /// <returns>A value of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Fmod(this Value a, float b) => ArithmeticOperators.Record<Functions.Fmod>(a, b);

    /// <summary>a % b as in Python, with b's sign, exact for quotients up to 2^24; NaN where b is 0, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Remainder(this Value a, Value b) => ArithmeticOperators.Record<Functions.Remainder>(a, b);

    /// <summary>a % b as in Python, with b's sign, exact for quotients up to 2^24; NaN where b is 0, element by element.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">A number.</param>
    /// <returns>A value of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Remainder(this Value a, float b) => ArithmeticOperators.Record<Functions.Remainder>(a, b);

    /// <summary>The angle in radians, -pi to pi, of the point with the ordinate a and the abscissa b, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Atan2(this Value a, Value b) => ArithmeticOperators.Record<Functions.Atan2>(a, b);

    /// <summary>The angle in radians, -pi to pi, of the point with the ordinate a and the abscissa b, element by element.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">A number.</param>
    /// <returns>A value of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Atan2(this Value a, float b) => ArithmeticOperators.Record<Functions.Atan2>(a, b);

    /// <summary>The square root of a^2 + b^2, without overflow; NaN gradients where both are 0, as in PyTorch, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Hypot(this Value a, Value b) => ArithmeticOperators.Record<Functions.Hypot>(a, b);

    /// <summary>The square root of a^2 + b^2, without overflow; NaN gradients where both are 0, as in PyTorch, element by element.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">A number.</param>
    /// <returns>A value of the value's shape.</returns>
    /// <exception cref="ShapeException">The type does not fit.</exception>
    public static Value Hypot(this Value a, float b) => ArithmeticOperators.Record<Functions.Hypot>(a, b);

    /// <summary>The bits that a and b have both, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value BitwiseAnd(this Value a, Value b) => ArithmeticOperators.Record<Functions.BitwiseAnd>(a, b);

    /// <summary>The bits that a or b or both have, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value BitwiseOr(this Value a, Value b) => ArithmeticOperators.Record<Functions.BitwiseOr>(a, b);

    /// <summary>The bits that one of a and b has and the other has not, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value BitwiseXor(this Value a, Value b) => ArithmeticOperators.Record<Functions.BitwiseXor>(a, b);

    /// <summary>a's bits moved up by b places, of which the lowest five bits count; zeros move in, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value ShiftLeft(this Value a, Value b) => ArithmeticOperators.Record<Functions.ShiftLeft>(a, b);

    /// <summary>a's bits moved down by b places, of which the lowest five bits count; its sign moves in, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Int32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value ShiftRight(this Value a, Value b) => ArithmeticOperators.Record<Functions.ShiftRight>(a, b);

    /// <summary>a where it is above 0, else a times the slope b, which is learned (He et al., 2015), element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value PReLU(this Value a, Value b) => ArithmeticOperators.Record<Functions.PRelu>(a, b);

    /// <summary>a times sigmoid(b), element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value SigmoidGate(this Value a, Value b) => ArithmeticOperators.Record<Functions.SigmoidGate>(a, b);

    /// <summary>a times SiLU(b), element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value SiLUGate(this Value a, Value b) => ArithmeticOperators.Record<Functions.SiLUGate>(a, b);

    /// <summary>a times GELU(b), element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value GeluGate(this Value a, Value b) => ArithmeticOperators.Record<Functions.GeluGate>(a, b);

    /// <summary>a times ReLU(b); the gradient for b is 0 at 0, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Any shape of Float32.</param>
    /// <param name="b">Of a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value ReLUGate(this Value a, Value b) => ArithmeticOperators.Record<Functions.ReluGate>(a, b);
}
