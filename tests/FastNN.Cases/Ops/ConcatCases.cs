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
        .. from type in DTypes.All.ToArray() where type != DType.Float32 from axis in new[] { 0, 1 } select Typed(type, axis),
        .. from type in DTypes.All.ToArray() where type != DType.Float32 select Stacked(type),
    ];

    /// <summary>Elements of any size: numbers that every type holds exactly.</summary>
    private static OpCase Typed(DType type, int axis)
    {
        Shape[] shapes = axis == 0 ? [new(1, 7), new(3, 7), new(2, 7)] : [new(5, 1), new(5, 3), new(5, 8)];
        return new OpCase(
            $"{type} along {axis}", [.. shapes.Select((shape, i) => Flags(shape, i))],
            values => Operators.Concat(axis, Array.ConvertAll(values, value => value.Cast(type))).Cast(DType.Float32),
            values => Forward(axis, shapes, values));
    }

    private static OpCase Stacked(DType type)
    {
        Shape[] columns = [new(5, 1, 3), new(5, 1, 3)];
        return new OpCase(
            $"{type} stacked", [Flags(new Shape(5, 3), 0), Flags(new Shape(5, 3), 1)],
            values => ShapeOperators.Stack(1, Array.ConvertAll(values, value => value.Cast(type))).Cast(DType.Float32),
            values => Forward(1, columns, values));
    }

    private static OpInput Flags(Shape shape, int input) =>
        new($"x{input}", shape,
            (random, count) => [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(2))])
        { IsDifferentiable = false };

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
