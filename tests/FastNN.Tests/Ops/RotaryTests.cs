using FastNN.Ops;

namespace FastNN.Tests.Ops;

internal sealed class RotaryTests : CpuOpFixture<RotaryCases>
{
    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 7, 3, 6)), odd = graph.Input(new Shape(2, 7, 3, 5));
        Assert.Multiple(() =>
        {
            Refused(() => odd.Rotary(10), "even");
            Refused(() => x.Rotary(10, timeAxis: -1), "axis");
            Refused(() => x.Rotary(10, rotated: 4), "at most 3");
            Refused(() => x.Rotary(10, positions: graph.Input(new Shape(6), DType.Int32)), "[6]");
            Refused(() => x.Rotary(10, positions: graph.Input(new Shape(3, 7), DType.Int32)), "[3, 7]");
            Refused(() => x.Rotary(10, positions: graph.Input(new Shape(7))), "Int32");
            Refused(() => graph.Input(new Shape(3)).Rotary(10), "[3]");
            Assert.That(() => x.Rotary(0), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => x.Rotary(10, theta: 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        });

        static void Refused(Func<Value> record, string words) => Assert.That(
            () => record(), Throws.TypeOf<ShapeException>().With.Message.Contains("Rotary").And.Message.Contains(words));
    }

    [TestCase(6, 0)]
    [TestCase(10, 4)]
    [TestCase(10, -1)]
    public void More_positions_than_the_table_has_are_refused(int positions, int offset)
    {
        var graph = new Graph(GraphMode.Inference);
        Value y = graph.Input([Dim.Batch, 7, 3, 6]).Rotary(positions, offset: offset);
        Assert.That(
            () => NodeTypes.Of(y.Producer!.Op, [new TensorType(new Shape(2, 7, 3, 6)), new TensorType(new Shape(positions, 6))]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Rotary").And.Message.Contains($"at most {positions}"));
    }

    [Test]
    public void A_position_outside_the_table_is_refused()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(1, 2, 1, 4)), positions = graph.Input(new Shape(2), DType.Int32);
        Value y = x.Rotary(3, positions: positions);
        using var run = new GraphRun(One, graph, [y], null, []);
        run.Set(x, new float[8]);
        run.Set(positions, [2, 3]);
        run.Upload();
        Assert.That(
            run.Forward, Throws.TypeOf<InvalidDatasetException>().With.Message.Contains("Rotary").And.Message.Contains("0..2"));
    }
}
