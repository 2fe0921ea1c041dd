using FastNN.Functions;
using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>
/// Every function of two numbers in the table: how operands lie, numbers on either side, and the types that its row names.
/// </summary>
internal sealed class ElementwiseCases : IOpCases
{
    /// <summary>Both whole, a number, rows, columns and any axes, of either operand.</summary>
    private static readonly (int[] A, int[] B)[] Patterns =
    [
        ([], []), ([1], [1]), ([3], [3]), ([7, 13], [7, 13]), ([129, 33], [129, 33]), ([31, 17], [17]), ([17], [31, 17]),
        ([5, 7, 3], []), ([], [7, 33]),
        ([31, 17], [31, 1]), ([31, 1], [1, 17]), ([2, 3, 4, 5], [3, 1, 1]), ([3, 1, 5], [2, 1, 7, 1]),
        ([2, 1, 3, 1, 2], [1, 4, 1, 5, 1]),
        ([1, 1, 33], [13, 7, 33]), ([3, 7, 1], [3, 7, 31]), ([3, 1, 31], [3, 7, 31]), ([8, 14, 14, 3], [3]),
        ([1, 257], [130, 257]), ([391], [301, 391]), ([9, 1], [1, 1030]), ([1031, 67], [67]),
        ([1031, 67], [1031, 1]), ([2, 2, 2, 2, 2, 2, 2, 2], [2, 1, 2, 1, 2, 1, 2, 1]),
    ];

    /// <summary>What the other functions are held to: loops of their own, of which each pattern is one.</summary>
    private static readonly (int[] A, int[] B)[] Some =
    [
        ([], []), ([7, 13], [7, 13]), ([31, 17], [17]), ([17], [31, 17]), ([5, 7, 3], []), ([], [7, 33]), ([31, 17], [31, 1]),
        ([31, 1], [1, 17]),
        ([1, 33], [13, 33]), ([3, 1, 31], [3, 7, 31]), ([129, 1031], [129, 1031]), ([2, 1, 3, 1, 2], [1, 4, 1, 5, 1]),
    ];

    public static IEnumerable<OpCase> Cases =>
    [
        .. from function in FunctionTable.Binary
           where function.Info.Takes(OperandTypes.Floats)
           from pattern in IsOfRecipes(function) ? Patterns : Some
           select Case(function, new Shape(pattern.A), new Shape(pattern.B)),
        .. from function in FunctionTable.Binary
           where function.Info.Takes(OperandTypes.Floats)
           from numberFirst in new[] { false, true }
           from size in IsOfRecipes(function) ? new[] { 1, 33, 70001 } : [33]
           select WithNumber(function, numberFirst, new Shape(size)),
        .. from function in FunctionTable.Binary
           where function.Info.Takes(OperandTypes.Integers)
           from pattern in new (int[] A, int[] B)[] { ([129], [129]), ([13, 1], [13, 7]) }
           select Typed(function, DType.Int32, new Shape(pattern.A), new Shape(pattern.B)),
        .. from function in FunctionTable.Binary
           where function.Info.Takes(OperandTypes.Truths)
           from pattern in new (int[] A, int[] B)[] { ([129], [129]), ([7], [13, 7]) }
           select Typed(function, DType.Bool, new Shape(pattern.A), new Shape(pattern.B)),
    ];

    internal static OpCase Case(BinaryFunction function, Shape a, Shape b)
    {
        Shape y = Broadcasting.Of(function.Info.Name, a, b);
        bool differentiable = function.Info.IsDifferentiable;
        return new OpCase(
            $"{function} {a} {b}", [Operand(function, 0, a), Operand(function, 1, b)],
            values => Floats(Record(function, values[0], values[1])),
            values => Forward(function, a, b, y, values))
        {
            // Sums over the axes along which an operand was repeated.
            Tolerance = 2e-6 * Math.Sqrt(y.Count / (double)Math.Min(a.Count, b.Count)),
            Samples = y.Count > 10_000 ? 12 : 48,
            ReferenceBackward = !differentiable ? null : (values, dY) => Sums(values, dY, sizes: false),
            TermSizes = !differentiable ? null : (values, dY) => Sums(values, dY, sizes: true),
        };

        double[]?[] Sums(double[][] values, double[] dY, bool sizes) =>
        [
            .. new[] { 0, 1 }.Select(operand =>
                ElementwiseReference.Backward(function, operand, a, values[0], b, values[1], y, dY, sizes)),
        ];
    }

    private static OpCase WithNumber(BinaryFunction function, bool numberFirst, Shape shape)
    {
        // No multiple of the samples' steps, so no sample ties with it.
        const float number = 1.3125f;
        return new OpCase(
            numberFirst ? $"{function} of a number and {shape}" : $"{function} of {shape} and a number",
            [Operand(function, numberFirst ? 1 : 0, shape)],
            values => Floats(Record(function, values[0], number, numberFirst)),
            values => Array.ConvertAll(
                values[0], x => ElementwiseReference.Value(function, numberFirst ? number : x, numberFirst ? x : number)))
        {
            Samples = 12,
            ReferenceBackward = !function.Info.IsDifferentiable ? null : (values, dY) =>
            [
                [.. values[0].Zip(dY, (x, upstream) => upstream * ElementwiseReference.Slope(
                    function, numberFirst ? 1 : 0, numberFirst ? number : x, numberFirst ? x : number))],
            ],
        };
    }

    private static OpCase Typed(BinaryFunction function, DType type, Shape a, Shape b)
    {
        Shape y = Broadcasting.Of(function.Info.Name, a, b);
        OpInput Input(string name, Shape shape) =>
            type == DType.Bool ? OpInput.Bits(name, shape) : OpInput.Integers(name, shape, -5, 5, type);
        return new OpCase(
            $"{function} of {type} {a} {b}", [Input("a", a), Input("b", b)],
            values => Floats(Record(function, values[0], values[1])),
            values => Forward(function, a, b, y, values));
    }

    internal static Value Record(BinaryFunction function, Value a, Value b) => a.Graph.Add(new BinaryOp(function), a, b);

    internal static Value Record(BinaryFunction function, Value x, float number, bool numberFirst) =>
        x.Graph.Add(new BinaryOp(function, BitConverter.SingleToInt32Bits(number), numberFirst), x);

    private static bool IsOfRecipes(BinaryFunction function) => function.Info.Name is "Add" or "Multiply";

    private static Value Floats(Value y) => y.Cast(DType.Float32);

    /// <summary>
    /// Values of the row's samples; where operands that are equal make a step or a kink, those of a lattice: the second's beside
    /// the first's where there are gradients to check, on it where ties are what is to be seen.
    /// </summary>
    private static OpInput Operand(BinaryFunction function, int operand, Shape shape)
    {
        BinaryInfo info = function.Info;
        string name = operand == 0 ? "a" : "b";
        if (!info.HasTies)
        {
            return OpInput.From(name, shape, operand == 0 ? info.Samples : info.SecondSamples);
        }

        double offset = operand == 1 && info.IsDifferentiable ? 0.125 : 0;
        return new OpInput(
            name, shape, (random, count) => [.. Enumerable.Range(0, count).Select(_ => (random.Next(-8, 9) / 4.0) + offset)])
        {
            IsDifferentiable = info.IsDifferentiable,
        };
    }

    private static double[] Forward(BinaryFunction function, Shape a, Shape b, Shape shape, double[][] values)
    {
        var y = new double[shape.Count];
        ElementwiseReference.Forward(function, a, values[0], b, values[1], shape, y);
        return y;
    }
}
