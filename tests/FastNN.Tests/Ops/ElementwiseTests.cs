using FastNN.Kernels;

namespace FastNN.Tests.Ops;

internal sealed class ElementwiseTests : CpuOpFixture<ElementwiseCases>
{
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
    public void Any_two_shapes_broadcast_as_the_reference_does() => Property.Check(100, (int seed, int extents) =>
    {
        uint pattern = RandomProgram.Mix(seed) >> 16;
        // Four axes; two bits of the pattern say for each axis whether a or b repeats along it, and higher bits cut leading axes off.
        var random = new Random(extents);
        int[] full = [.. Enumerable.Range(0, 4).Select(_ => random.Next(1, 6))];
        int[] a = [.. full.Select((extent, axis) => (pattern >> (2 * axis) & 3) == 1 ? 1 : extent)];
        int[] b = [.. full.Select((extent, axis) => (pattern >> (2 * axis) & 3) == 2 ? 1 : extent)];
        OpCase @case = ElementwiseCases.Case(
            (pattern & 1 << 12) == 0 ? BinaryOperator.Add : BinaryOperator.Multiply, new Shape(a.AsSpan((int)(pattern >> 8 & 3))), new Shape(b.AsSpan((int)(pattern >> 10 & 3))));
        Forward_and_backward_equal_the_double_reference(@case);
    });
}
