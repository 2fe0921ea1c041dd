namespace FastNN.Tests.Ops;

internal sealed class ActivationsTests : CpuOpFixture<ActivationsCases>
{
    [Test]
    public void At_zero_and_beyond_the_exponentials_range_nothing_is_lost(
        [ValueSource(typeof(ActivationsCases), nameof(ActivationsCases.Functions))] Activation activation)
    {
        double[] x = [0, -0.0, 1e-30, -1e-30, 30, -30, 90, -90, 1e4, -1e4, float.MaxValue, -float.MaxValue];
        var @case = new OpCase(
            $"{activation}", [new OpInput("x", new Shape(x.Length), (_, _) => x)], values => values[0].Activate(activation),
            values => ActivationsCases.Forward(activation, values[0]));
        using OpRun run = @case.Compile(One);
        run.Run();
        double[] values = @case.Draw()[0];
        Near.Check("y", run.Output, ActivationsCases.Forward(activation, values), 1e-6);
        Near.Check("dx", run.Gradients[0], ActivationsCases.Backward(activation, values, OpCase.DrawUpstream(x.Length)), 1e-6);
    }

    [Test]
    public void NaN_stays_NaN([ValueSource(typeof(ActivationsCases), nameof(ActivationsCases.All))] Activation activation)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(35));
        Value y = x.Activate(activation);
        using var run = new GraphRun(One, graph, [y], null, []);
        run.Set(x, Enumerable.Repeat(float.NaN, 35).ToArray());
        run.Upload();
        run.Forward();
        Assert.That(run.Read(y), Is.All.NaN);
    }
}
