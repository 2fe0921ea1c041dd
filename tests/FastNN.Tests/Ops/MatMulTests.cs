namespace FastNN.Tests.Ops;

internal sealed class MatMulTests : CpuOpFixture<MatMulCases>
{
    [Test]
    public void Vectors_lose_their_axis_as_in_PyTorch()
    {
        var graph = new Graph(GraphMode.Inference);
        Value vector = graph.Input(new Shape(7)), matrix = graph.Input(new Shape(5, 7)), batch = graph.Input(new Shape(3, 7, 4));
        Assert.That(vector.MatMul(vector).Shape, Is.EqualTo(new Shape()));
        Assert.That(matrix.MatMul(vector).Shape, Is.EqualTo(new Shape(5)));
        Assert.That(vector.MatMul(batch).Shape, Is.EqualTo(new Shape(3, 4)));
        Assert.That(matrix.MatMul(batch).Shape, Is.EqualTo(new Shape(3, 5, 4)));
    }

    [Test]
    public void A_product_over_nothing_is_zero()
    {
        var graph = new Graph(GraphMode.Inference);
        Value y = graph.Input(new Shape(2, 3, 0)).MatMul(graph.Input(new Shape(2, 0, 4)));
        using var run = new GraphRun(One, graph, [y], null, []);
        run.Forward();
        Assert.That(run.Read(y), Is.EqualTo(new float[24]));
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value a = graph.Input(new Shape(2, 3, 4)), b = graph.Input(new Shape(3, 4, 5)), scalar = graph.Input(new Shape());
        Assert.That(
            () => a.MatMul(b), Throws.TypeOf<ShapeException>().With.Message.Contains("MatMul").And.Message.Contains("broadcast"));
        Assert.That(
            () => a.MatMul(b, transposeB: true),
            Throws.TypeOf<ShapeException>().With.Message.Contains("[2, 3, 4] and [3, 4, 5] transposed"));
        Assert.That(() => a.MatMul(scalar), Throws.TypeOf<ShapeException>().With.Message.Contains("scalars"));
    }
}
