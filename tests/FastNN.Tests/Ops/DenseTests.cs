namespace FastNN.Tests.Ops;

internal sealed class DenseTests : CpuOpFixture<DenseCases>
{
    [Test]
    public void A_fused_activation_gives_the_bits_of_a_separate_one(
        [ValueSource(typeof(DenseCases), nameof(DenseCases.Epilogues))] Activation activation) =>
        FusionChecks.RequireSameBits(
            Two, new Shape(33, 31), [new Shape(31, 129), new Shape(129)], (x, p) => x.Dense(p[0], p[1]), activation);

    [Test]
    public void A_trained_bias_under_a_frozen_weight_gets_its_gradient()
    {
        OpCase @case = DenseCases.Case(new Shape(13, 7), 17);
        using OpRun run = @case.Compile(Two, 2);
        run.Run();
        double[] dY = OpCase.DrawUpstream(13 * 17);
        Near.Check("dbias", run.Gradients[0], @case.ReferenceBackward!(@case.Draw(), dY)[2]!, @case.Tolerance);
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(4, 7));
        Value weight = graph.Input(new Shape(8, 5));
        Assert.That(
            () => x.Dense(weight),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Dense").And.Message.Contains("[4, 7]").And.Message.Contains(
                "[8, 5]"));
        Assert.That(
            () => graph.Input(new Shape(4, 8)).Dense(weight, graph.Input(new Shape(8))),
            Throws.TypeOf<ShapeException>().With.Message.Contains("bias [8]").And.Message.Contains("[5] expected"));
        Assert.That(() => graph.Input(default).Dense(weight), Throws.TypeOf<ShapeException>());
    }
}
