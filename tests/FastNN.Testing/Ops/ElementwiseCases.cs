using FastNN.Kernels;

namespace FastNN.Testing;

internal sealed class ElementwiseCases : IOpCases
{
    private static readonly (int[] A, int[] B)[] Patterns =
    [
        ([], []), ([1], [1]), ([3], [3]), ([7, 13], [7, 13]), ([129, 33], [129, 33]), ([31, 17], [17]), ([17], [31, 17]), ([5, 7, 3], []), ([], [7, 33]),
        ([31, 17], [31, 1]), ([31, 1], [1, 17]), ([2, 3, 4, 5], [3, 1, 1]), ([3, 1, 5], [2, 1, 7, 1]), ([2, 1, 3, 1, 2], [1, 4, 1, 5, 1]),
        ([1, 1, 33], [13, 7, 33]), ([3, 7, 1], [3, 7, 31]), ([3, 1, 31], [3, 7, 31]), ([8, 14, 14, 3], [3]), ([1, 257], [130, 257]), ([1031, 67], [67]),
        ([1031, 67], [1031, 1]), ([2, 2, 2, 2, 2, 2, 2, 2], [2, 1, 2, 1, 2, 1, 2, 1]),
    ];

    public static IEnumerable<OpCase> Cases =>
        from op in new[] { BinaryOperator.Add, BinaryOperator.Multiply }
        from pattern in Patterns
        select Case(op, new Shape(pattern.A), new Shape(pattern.B));

    internal static OpCase Case(BinaryOperator op, Shape a, Shape b)
    {
        Shape y = Broadcast(a, b);
        return new OpCase(
            $"{op} {a} {b}", [OpInput.Uniform("a", a), OpInput.Uniform("b", b)],
            values => op == BinaryOperator.Add ? values[0] + values[1] : values[0] * values[1], values => Forward(op, a, b, y, values))
        {
            // Sums over the axes along which an operand was repeated.
            Tolerance = 2e-6 * Math.Sqrt(y.Count / (double)Math.Min(a.Count, b.Count)),
            Samples = y.Count > 10_000 ? 12 : 48,
            ReferenceBackward = (values, dY) =>
                [Backward(op, y, dY, b, values[1], a), Backward(op, y, dY, a, values[0], b)],
        };
    }

    private static double[] Forward(BinaryOperator op, Shape a, Shape b, Shape shape, double[][] values)
    {
        var y = new double[shape.Count];
        ElementwiseReference.Forward(op, a, values[0], b, values[1], shape, y);
        return y;
    }

    private static double[] Backward(BinaryOperator op, Shape y, double[] dY, Shape otherShape, double[] other, Shape shape)
    {
        var gradient = new double[shape.Count];
        ElementwiseReference.Backward(op, y, dY, otherShape, other, shape, gradient);
        return gradient;
    }

    private static Shape Broadcast(Shape a, Shape b)
    {
        var extents = new int[Math.Max(a.Rank, b.Rank)];
        for (int i = 1; i <= extents.Length; i++)
        {
            extents[^i] = Math.Max(i <= a.Rank ? a[-i] : 1, i <= b.Rank ? b[-i] : 1);
        }

        return new Shape(extents);
    }
}
