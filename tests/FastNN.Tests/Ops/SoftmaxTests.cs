namespace FastNN.Tests.Ops;

internal sealed class SoftmaxTests : CpuOpFixture<SoftmaxCases>
{
    [Test]
    public void Rows_sum_to_one_however_large_the_numbers()
    {
        var @case = new OpCase(
            "large",
            [
                new OpInput(
                    "x", new Shape(2, 4), (_, _) => [1e4, 1e4 - 1, -1e4, 0, float.MaxValue, float.MaxValue, -float.MaxValue, 1])],
            values => values[0].Softmax(), values => SoftmaxCases.Forward(values[0], 2, 4, 1, logarithm: false));
        using OpRun run = @case.Compile(One);
        run.Run();
        Near.Check("y", run.Output, @case.Reference(@case.Draw()), 1e-6);
        Assert.That(run.Output[..4].Sum(), Is.EqualTo(1).Within(1e-6));
        Assert.That(run.Output[4..].Sum(), Is.EqualTo(1).Within(1e-6));
    }

    [Test]
    public void An_axis_that_is_not_there_is_named()
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(2, 3));
        Assert.That(
            () => x.Softmax(2), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2").And.Message.Contains("[2, 3]"));
        Assert.That(() => x.LogSoftmax(-3), Throws.TypeOf<ShapeException>().With.Message.Contains("axis -3"));
    }
}
