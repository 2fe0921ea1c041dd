namespace FastNN.Testing;

internal sealed class ConcatCases : IOpCases
{
    public static IEnumerable<OpCase> Cases { get; } =
    [
        Case(0, [1], [1]),
        Case(0, [3], [7], [13]),
        Case(-1, [3, 4], [3, 2], [3, 3]),
        Case(1, [2, 3, 4], [2, 1, 4]),
        Case(0, [17, 31], [33, 31]),
        Case(1, [129, 1], [129, 33], [129, 7], [129, 17]),
        Case(3, [2, 7, 5, 3], [2, 7, 5, 13]),
        Case(-2, [2, 7, 1, 3], [2, 7, 31, 3]),
        Case(1, [5, 9]),
    ];

    private static OpCase Case(int axis, params int[][] extents)
    {
        Shape[] shapes = Array.ConvertAll(extents, extent => new Shape(extent));
        return new OpCase(
            $"axis {axis} {string.Join(" ", shapes)}", [.. shapes.Select((shape, i) => OpInput.Uniform($"x{i}", shape))],
            values => Operators.Concat(axis, values), values => Forward(axis, shapes, values))
        {
            ReferenceBackward = (_, dY) => Backward(axis, shapes, dY),
        };
    }

    private static (int Rows, int[] Widths) Split(int axis, Shape[] shapes)
    {
        int at = shapes[0].NormalizeAxis(axis);
        return ((int)shapes[0].Product(0, at), Array.ConvertAll(shapes, shape => (int)shape.Product(at, shape.Rank)));
    }

    internal static double[] Forward(int axis, Shape[] shapes, double[][] values)
    {
        (int rows, int[] widths) = Split(axis, shapes);
        var y = new double[rows * widths.Sum()];
        for (int i = 0, offset = 0; i < widths.Length; offset += widths[i++])
        {
            ConcatReference.Forward(values[i], y, rows, widths[i], widths.Sum(), offset);
        }

        return y;
    }

    private static double[]?[] Backward(int axis, Shape[] shapes, double[] dY)
    {
        (int rows, int[] widths) = Split(axis, shapes);
        var gradients = new double[]?[widths.Length];
        for (int i = 0, offset = 0; i < widths.Length; offset += widths[i++])
        {
            var gradient = new double[rows * widths[i]];
            ConcatReference.Backward(dY, gradient, rows, widths[i], widths.Sum(), offset);
            gradients[i] = gradient;
        }

        return gradients;
    }
}
