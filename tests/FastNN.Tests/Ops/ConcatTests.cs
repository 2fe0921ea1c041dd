using FastNN.Tests.Reference;

namespace FastNN.Tests.Ops;

internal sealed class ConcatTests : OpFixture<ConcatTests>, IOpCases
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

    [Test]
    public void A_value_joined_with_itself_gets_both_gradients()
    {
        var @case = new OpCase(
            "concat(x, x)", [OpInput.Uniform("x", new Shape(3, 7))], values => Operators.Concat(1, values[0], values[0]),
            values => Forward(1, [new Shape(3, 7), new Shape(3, 7)], [values[0], values[0]]));
        Forward_and_backward_equal_the_double_reference(@case);
        Gradients_equal_central_differences_of_the_reference(@case);
    }

    [Test]
    public void Shapes_that_differ_elsewhere_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value a = graph.Input(new Shape(2, 3));
        Value b = graph.Input(new Shape(3, 3));
        Value scalar = graph.Input(default);
        Assert.That(
            () => Operators.Concat(1, a, b), Throws.TypeOf<ShapeException>().With.Message.Contains("Concat").And.Message.Contains("[2, 3]").And.Message.Contains("[3, 3]"));
        Assert.That(() => Operators.Concat(2, a, a), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2"));
        Assert.That(() => Operators.Concat(0, scalar, scalar), Throws.TypeOf<ShapeException>().With.Message.Contains("scalars"));
        Assert.That(() => Operators.Concat(0), Throws.TypeOf<ShapeException>().With.Message.Contains("no inputs"));
    }

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

    private static double[] Forward(int axis, Shape[] shapes, double[][] values)
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
