using FastNN.Kernels;
using FastNN.Tests.Graphs;
using FastNN.Tests.Reference;

namespace FastNN.Tests.Ops;

internal sealed class ElementwiseTests : OpFixture<ElementwiseTests>, IOpCases
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

    [Test]
    public void A_value_times_itself_has_twice_its_gradient([Values(1, 13, 129)] int size)
    {
        var @case = new OpCase(
            "x * x + x", [OpInput.Uniform("x", new Shape(size))], values => (values[0] * values[0]) + values[0],
            values => Array.ConvertAll(values[0], x => (x * x) + x));
        using OpRun run = @case.Compile(Two);
        run.Run();
        double[] x = @case.Draw()[0];
        double[] dY = OpCase.DrawUpstream(size);
        Near.Check("y", run.Output, @case.Reference([x]), 1e-6);
        Near.Check("dx", run.Gradients[0], [.. x.Zip(dY, (value, upstream) => upstream * ((2 * value) + 1))], 1e-6);
    }

    [Test]
    public void Shapes_that_do_not_broadcast_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value a = graph.Input(new Shape(2, 3, 4));
        Value b = graph.Input(new Shape(2, 4));
        Assert.That(() => a + b, Throws.TypeOf<ShapeException>().With.Message.Contains("Add").And.Message.Contains("[2, 3, 4]").And.Message.Contains("[2, 4]"));
        Assert.That(() => b * a, Throws.TypeOf<ShapeException>().With.Message.Contains("Multiply"));
    }

    [Test]
    public void Values_of_two_graphs_do_not_mix()
    {
        Value a = new Graph(GraphMode.Training).Input(new Shape(2));
        Value b = new Graph(GraphMode.Training).Input(new Shape(2));
        Assert.That(() => a + b, Throws.TypeOf<ArgumentException>().With.Message.Contains("another graph"));
    }

    [Test]
    public void Any_two_shapes_broadcast_as_the_reference_does() => Always.Check(100, (int seed, int extents) =>
    {
        uint pattern = RandomProgram.Mix(seed) >> 16;
        // Four axes; two bits of the pattern say for each axis whether a or b repeats along it, and higher bits cut leading axes off.
        var random = new Random(extents);
        int[] full = [.. Enumerable.Range(0, 4).Select(_ => random.Next(1, 6))];
        int[] a = [.. full.Select((extent, axis) => (pattern >> (2 * axis) & 3) == 1 ? 1 : extent)];
        int[] b = [.. full.Select((extent, axis) => (pattern >> (2 * axis) & 3) == 2 ? 1 : extent)];
        OpCase @case = Case(
            (pattern & 1 << 12) == 0 ? BinaryOperator.Add : BinaryOperator.Multiply, new Shape(a.AsSpan((int)(pattern >> 8 & 3))), new Shape(b.AsSpan((int)(pattern >> 10 & 3))));
        Forward_and_backward_equal_the_double_reference(@case);
    });

    private static OpCase Case(BinaryOperator op, Shape a, Shape b)
    {
        Shape y = Broadcast(a, b);
        return new OpCase(
            $"{op} {a} {b}", [OpInput.Uniform("a", a), OpInput.Uniform("b", b)],
            values => op == BinaryOperator.Add ? values[0] + values[1] : values[0] * values[1], values => Forward(op, a, b, y, values))
        {
            // Sums over the axes along which an operand was repeated.
            Tolerance = 2e-6 * Math.Sqrt(y.Count / (double)Math.Min(a.Count, b.Count)),
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
