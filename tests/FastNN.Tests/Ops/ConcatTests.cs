namespace FastNN.Tests.Ops;

internal sealed class ConcatTests : CpuOpFixture<ConcatCases>
{
    [Test]
    public void A_value_joined_with_itself_gets_both_gradients()
    {
        var @case = new OpCase(
            "concat(x, x)", [OpInput.Uniform("x", new Shape(3, 7))], values => Operators.Concat(1, values[0], values[0]),
            values => ConcatCases.Forward(1, [new Shape(3, 7), new Shape(3, 7)], [values[0], values[0]]));
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
            () => Operators.Concat(1, a, b),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Concat").And.Message.Contains("[2, 3]").And.Message.Contains(
                "[3, 3]"));
        Assert.That(() => Operators.Concat(2, a, a), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2"));
        Assert.That(() => Operators.Concat(0, scalar, scalar), Throws.TypeOf<ShapeException>().With.Message.Contains("scalars"));
        Assert.That(() => Operators.Concat(0), Throws.TypeOf<ShapeException>().With.Message.Contains("no inputs"));
    }
}
