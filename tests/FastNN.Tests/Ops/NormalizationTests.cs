namespace FastNN.Tests.Ops;

internal sealed class NormalizationTests : CpuOpFixture<NormalizationCases>
{
    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 3)), two = graph.Input(new Shape(2)), three = graph.Input(new Shape(3));
        Assert.That(
            () => x.LayerNorm(axes: 3),
            Throws.TypeOf<ShapeException>().With.Message.Contains("LayerNorm").And.Message.Contains("[2, 3]"));
        Assert.That(
            () => x.LayerNorm(two), Throws.TypeOf<ShapeException>().With.Message.Contains("[3]").And.Message.Contains("[2]"));
        Assert.That(() => x.LayerNorm(bias: three), Throws.TypeOf<ShapeException>().With.Message.Contains("weight"));
        Assert.That(
            () => x.BatchNorm(two, two),
            Throws.TypeOf<ShapeException>().With.Message.Contains("BatchNorm").And.Message.Contains("[2, 3]"));
        Assert.That(() => three.BatchNorm(three, three), Throws.TypeOf<ShapeException>().With.Message.Contains("batch axis"));
    }

    [Test]
    public void A_single_value_per_channel_cannot_be_trained_on()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(1, 3)), statistics = graph.Input(new Shape(3));
        Value y = x.BatchNorm(statistics, statistics);
        Assert.That(
            () => new GraphRun(One, graph, [y], null, []), Throws.TypeOf<ShapeException>().With.Message.Contains("larger batch"));
    }
}
