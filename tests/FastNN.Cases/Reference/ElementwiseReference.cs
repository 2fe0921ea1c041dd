using FastNN.Functions;

namespace FastNN.Testing;

/// <summary>Functions of two numbers by definition, with NumPy's broadcasting, index by index, in double.</summary>
internal static class ElementwiseReference
{
    private static readonly Dictionary<string, Definition> Definitions = new()
    {
        ["Add"] = new((a, b) => a + b, (a, b) => 1, (a, b) => 1),
        ["Subtract"] = new((a, b) => a - b, (a, b) => 1, (a, b) => -1),
        ["Multiply"] = new((a, b) => a * b, (a, b) => b, (a, b) => a),
        ["Divide"] = new((a, b) => a / b, (a, b) => 1 / b, (a, b) => -a / (b * b)),
        ["Pow"] = new(Math.Pow, (a, b) => b * Math.Pow(a, b - 1), (a, b) => Math.Pow(a, b) * Math.Log(a)),
        ["Minimum"] = new(Math.Min, (a, b) => a < b ? 1 : a == b ? 0.5 : 0, (a, b) => b < a ? 1 : a == b ? 0.5 : 0),
        ["Maximum"] = new(Math.Max, (a, b) => a > b ? 1 : a == b ? 0.5 : 0, (a, b) => b > a ? 1 : a == b ? 0.5 : 0),
        ["Equal"] = new((a, b) => a == b ? 1 : 0),
        ["NotEqual"] = new((a, b) => a != b ? 1 : 0),
        ["Less"] = new((a, b) => a < b ? 1 : 0),
        ["LessOrEqual"] = new((a, b) => a <= b ? 1 : 0),
        ["Greater"] = new((a, b) => a > b ? 1 : 0),
        ["GreaterOrEqual"] = new((a, b) => a >= b ? 1 : 0),
        ["And"] = new((a, b) => a != 0 && b != 0 ? 1 : 0),
        ["Or"] = new((a, b) => a != 0 || b != 0 ? 1 : 0),
        ["Xor"] = new((a, b) => (a != 0) != (b != 0) ? 1 : 0),
        ["Fmod"] = new((a, b) => a % b, (a, b) => 1, (a, b) => -Math.Truncate(a / b)),
        ["Remainder"] = new((a, b) => a - (b * Math.Floor(a / b)), (a, b) => 1, (a, b) => -Math.Floor(a / b)),
        ["Atan2"] = new(Math.Atan2, (a, b) => b / ((a * a) + (b * b)), (a, b) => -a / ((a * a) + (b * b))),
        ["Hypot"] = new(Hypot, (a, b) => a / Hypot(a, b), (a, b) => b / Hypot(a, b)),
        ["BitwiseAnd"] = new((a, b) => (int)a & (int)b),
        ["BitwiseOr"] = new((a, b) => (int)a | (int)b),
        ["BitwiseXor"] = new((a, b) => (int)a ^ (int)b),
        ["ShiftLeft"] = new((a, b) => (int)a << (int)b),
        ["ShiftRight"] = new((a, b) => (int)a >> (int)b),
        ["PReLU"] = new((a, b) => a > 0 ? a : a * b, (a, b) => a > 0 ? 1 : b, (a, b) => a > 0 ? 0 : a),
        ["SigmoidGate"] = Gate("Sigmoid"),
        ["SiLUGate"] = Gate("SiLU"),
        ["GeluGate"] = Gate("Gelu"),
        ["ReLUGate"] = Gate("ReLU"),
    };

    public static double Value(BinaryFunction function, double a, double b) => Of(function).Value(a, b);

    /// <summary>The derivative by operand 0 or 1.</summary>
    public static double Slope(BinaryFunction function, int operand, double a, double b) =>
        (operand == 0 ? Of(function).First : Of(function).Second)?.Invoke(a, b)
        ?? throw new ArgumentException($"There is no derivative in double of {function}.", nameof(function));

    public static void Forward(
        BinaryFunction function, Shape aShape, ReadOnlySpan<double> a, Shape bShape, ReadOnlySpan<double> b, Shape yShape,
        Span<double> y)
    {
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = Value(function, a[Index(yShape, aShape, i)], b[Index(yShape, bShape, i)]);
        }
    }

    /// <summary>
    /// dX = the sums of dY df/dx over the axes along which operand 0 or 1 was repeated, or those of the terms' absolute values.
    /// </summary>
    public static double[] Backward(
        BinaryFunction function, int operand, Shape aShape, double[] a, Shape bShape, double[] b, Shape yShape, double[] dY,
        bool sizes = false)
    {
        Shape shape = operand == 0 ? aShape : bShape;
        var dX = new double[shape.Count];
        for (int i = 0; i < dY.Length; i++)
        {
            double term = dY[i] * Slope(function, operand, a[Index(yShape, aShape, i)], b[Index(yShape, bShape, i)]);
            dX[Index(yShape, shape, i)] += sizes ? Math.Abs(term) : term;
        }

        return dX;
    }

    private static double Hypot(double a, double b) => Math.Sqrt((a * a) + (b * b));

    /// <summary>a times a function of b.</summary>
    private static Definition Gate(string name)
    {
        UnaryFunction row = FunctionTable.Unary.Single(row => row.Info.Name == name);
        var function = new Activation(row, row.Info.Defaults);
        return new(
            (a, b) => a * ActivationsReference.Value(function, b), (a, b) => ActivationsReference.Value(function, b),
            (a, b) => a * ActivationsReference.Derivative(function, b));
    }

    private static Definition Of(BinaryFunction function) =>
        Definitions.TryGetValue(function.Info.Name, out Definition? definition)
        ? definition
        : throw new ArgumentException($"There is no definition in double of {function}.", nameof(function));

    /// <summary>The index in an operand of the element that meets index i of the whole.</summary>
    private static int Index(Shape whole, Shape operand, int i)
    {
        int index = 0, stride = 1;
        for (int axis = whole.Rank - 1; axis >= 0; axis--)
        {
            int place = i % whole[axis];
            i /= whole[axis];
            int own = axis - (whole.Rank - operand.Rank);
            if (own >= 0)
            {
                index += operand[own] == 1 ? 0 : place * stride;
                stride *= operand[own];
            }
        }

        return index;
    }

    private sealed record Definition(
        Func<double, double, double> Value, Func<double, double, double>? First = null, Func<double, double,
        double>? Second = null);
}
