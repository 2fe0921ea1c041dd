namespace FastNN.Tests.Ops;

internal sealed class TriluTests : CpuOpFixture<TriluCases>
{
    [Test]
    public void A_vector_has_no_triangle([Values] bool upper)
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(3));
        Assert.That(
            () => upper ? x.Triu() : x.Tril(),
            Throws.TypeOf<ShapeException>().With.Message.Contains(upper ? "Triu" : "Tril").And.Message.Contains("[3]"));
    }
}
