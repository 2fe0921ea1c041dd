namespace FastNN.Tests.Ops;

internal sealed class ClipTests : CpuOpFixture<ClipCases>
{
    [Test]
    public void Bounds_the_wrong_way_round_are_named()
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(3));
        Assert.That(
            () => x.Clip(1, 0), Throws.TypeOf<ShapeException>().With.Message.Contains("Clip").And.Message.Contains("[3]"));
    }
}
