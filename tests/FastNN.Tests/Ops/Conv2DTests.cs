namespace FastNN.Tests.Ops;

internal sealed class Conv2DTests : CpuOpFixture<Conv2DCases>
{
    private static readonly Activation[] Epilogues = [
        Activation.ReLU, Activation.LeakyReLU, Activation.Sigmoid, Activation.Tanh, Activation.Gelu];

    [Test]
    public void A_fused_activation_gives_the_bits_of_a_separate_one(
        [ValueSource(nameof(Epilogues))] Activation activation, [Values(1, 3)] int groups) =>
        FusionChecks.RequireSameBits(
            Two, new Shape(2, 9, 7, 6), [new Shape(3, 3, 6 / groups, 33), new Shape(33)],
            (x, p) => x.Conv2D(p[0], p[1], padding: Conv2DCases.One1, groups: groups), activation);

    [Test]
    public void A_trained_bias_under_a_frozen_filter_gets_its_gradient()
    {
        OpCase @case = Conv2DCases.Case([2, 7, 7, 3], 4, (3, 3));
        using OpRun run = @case.Compile(Two, 2);
        run.Run();
        double[] dY = OpCase.DrawUpstream(2 * 5 * 5 * 4);
        Near.Check("dbias", run.Gradients[0], @case.ReferenceBackward!(@case.Draw(), dY)[2]!, @case.Tolerance);
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 8, 8, 3));
        Value filter = graph.Input(new Shape(3, 3, 4, 5));
        Assert.That(
            () => x.Conv2D(filter),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Conv2D").And.Message.Contains(
                "[2, 8, 8, 3]").And.Message.Contains("[3, 3, 4, 5]"));
        Assert.That(() => x.Conv2D(graph.Input(new Shape(3, 3, 3))), Throws.TypeOf<ShapeException>());
        Assert.That(
            () => x.Conv2D(graph.Input(new Shape(3, 3, 3, 5)), graph.Input(new Shape(4))),
            Throws.TypeOf<ShapeException>().With.Message.Contains("bias [4]"));
    }

    [Test]
    public void Sizes_that_make_no_window_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 4, 4, 3));
        Assert.That(
            () => x.Conv2D(graph.Input(new Shape(5, 3, 3, 2))), Throws.TypeOf<ShapeException>().With.Message.Contains("height"));
        Assert.That(
            () => x.Conv2D(graph.Input(new Shape(3, 3, 3, 2)), stride: (0, 1)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("stride"));
        Assert.That(
            () => x.Conv2D(graph.Input(new Shape(3, 3, 1, 2)), groups: 3),
            Throws.TypeOf<ShapeException>().With.Message.Contains("groups"));
    }
}
