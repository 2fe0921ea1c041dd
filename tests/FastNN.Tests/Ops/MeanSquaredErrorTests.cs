using FastNN.Ops;

namespace FastNN.Tests.Ops;

internal sealed class MeanSquaredErrorTests : CpuOpFixture<MeanSquaredErrorCases>
{
    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(4, 5));
        Value targets = graph.Input(new Shape(4));
        Assert.That(
            () => graph.Add(new MeanSquaredErrorOp(Reduction.Mean), x, targets),
            Throws.TypeOf<ShapeException>().With.Message.Contains("MeanSquaredError").And.Message.Contains("[4, 5]").And.Message.Contains("[4]"));
    }
}
