namespace FastNN;

/// <summary>Differences, quotients and numbers on either side of an operator: <c>0.5f * (a - b) / c</c>.</summary>
public static class ArithmeticOperators
{
    extension(Value)
    {
        /// <summary>-x.</summary>
        /// <param name="x">Any shape.</param>
        public static Value operator -(Value x) => x.Negate();

        /// <summary>a - b with NumPy's broadcasting.</summary>
        /// <param name="a">Left operand.</param>
        /// <param name="b">Right operand.</param>
        /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
        public static Value operator -(Value a, Value b) => a + b.Negate();

        /// <summary>a / b, element by element, with NumPy's broadcasting; as a times 1 / b, so that it may differ from a quotient in the last bit.</summary>
        /// <param name="a">Left operand.</param>
        /// <param name="b">Right operand.</param>
        /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
        public static Value operator /(Value a, Value b) => a * b.Reciprocal();

        /// <summary>x + number.</summary>
        /// <param name="x">Any shape.</param>
        /// <param name="number">Added to every element.</param>
        public static Value operator +(Value x, float number) => x + x.Graph.Constant(number);

        /// <summary>number + x.</summary>
        /// <param name="number">Added to every element.</param>
        /// <param name="x">Any shape.</param>
        public static Value operator +(float number, Value x) => x + number;

        /// <summary>x - number.</summary>
        /// <param name="x">Any shape.</param>
        /// <param name="number">Taken from every element.</param>
        public static Value operator -(Value x, float number) => x + -number;

        /// <summary>number - x.</summary>
        /// <param name="number">What every element is taken from.</param>
        /// <param name="x">Any shape.</param>
        public static Value operator -(float number, Value x) => x.Negate() + number;

        /// <summary>x * number.</summary>
        /// <param name="x">Any shape.</param>
        /// <param name="number">Multiplies every element.</param>
        public static Value operator *(Value x, float number) => x * x.Graph.Constant(number);

        /// <summary>number * x.</summary>
        /// <param name="number">Multiplies every element.</param>
        /// <param name="x">Any shape.</param>
        public static Value operator *(float number, Value x) => x * number;

        /// <summary>x / number, as x times 1 / number.</summary>
        /// <param name="x">Any shape.</param>
        /// <param name="number">Divides every element.</param>
        public static Value operator /(Value x, float number) => x * (1 / number);

        /// <summary>number / x.</summary>
        /// <param name="number">Divided by every element.</param>
        /// <param name="x">Any shape.</param>
        public static Value operator /(float number, Value x) => x.Reciprocal() * number;
    }
}
