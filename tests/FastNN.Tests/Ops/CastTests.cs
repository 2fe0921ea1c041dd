namespace FastNN.Tests.Ops;

internal sealed class CastTests : CpuOpFixture<CastCases>
{
    [Test]
    public void The_same_type_is_the_value_itself()
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(3));
        Assert.That(x.Cast(DType.Float32), Is.SameAs(x));
    }

    [Test]
    public void A_number_that_is_no_type_is_refused()
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(3));
        Assert.That(() => x.Cast((DType)99), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
