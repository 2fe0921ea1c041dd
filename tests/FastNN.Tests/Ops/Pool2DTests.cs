namespace FastNN.Tests.Ops;

internal sealed class Pool2DTests : CpuOpFixture<Pool2DCases>
{
    [Test]
    public void ReLU_before_the_pooling_commutes_to_the_last_bit_ties_included(
        [Values(2, 3)] int kernel, [Values(1, 2)] int stride)
    {
        // Small integers, negative ones too: every window has ties, and some have nothing above 0.
        double[] x = [.. Enumerable.Range(0, 2 * 9 * 9 * 17).Select(i => (double)((i * 7919 % 7) - 5))];
        (float[] y, float[] gradient, int nodes) = ReLUThenPool(x, kernel, stride, readReLU: false);
        (float[] separateY, float[] separateGradient, int separateNodes) = ReLUThenPool(x, kernel, stride, readReLU: true);
        Assert.That(nodes, Is.EqualTo(1));
        Assert.That(separateNodes, Is.EqualTo(2));
        Near.SameBits(separateY, y);
        Assert.That(gradient, Is.EqualTo(separateGradient));
    }

    [Test]
    public void The_first_of_equal_taps_wins()
    {
        var @case = new OpCase(
            "ties", [new OpInput("x", new Shape(1, 2, 2, 1), (_, _) => [3, 3, 3, 3])], values => values[0].MaxPool2D((2, 2)),
            _ => [3]);
        using OpRun run = @case.Compile(One);
        run.Run();
        var upstream = (float)OpCase.DrawUpstream(1)[0];
        Assert.That(run.Output, Is.EqualTo(new[] { 3f }));
        Assert.That(run.Gradients[0], Is.EqualTo(new[] { upstream, 0f, 0f, 0f }));
    }

    [Test]
    public void Sizes_that_make_no_window_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 4, 4, 3));
        Assert.That(() => x.MaxPool2D((5, 5)), Throws.TypeOf<ShapeException>().With.Message.Contains("height"));
        Assert.That(() => x.AvgPool2D((2, 2), (0, 1)), Throws.TypeOf<ShapeException>().With.Message.Contains("stride"));
        Assert.That(
            () => x.MaxPool2D((2, 2), padding: Padding2D.Symmetric(2, 2)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("padding"));
        Value row = graph.Input(new Shape(4, 3));
        Assert.That(
            () => row.MaxPool2D((2, 2)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("MaxPool2D").And.Message.Contains("[4, 3]"));
        Assert.That(() => row.GlobalAvgPool2D(), Throws.TypeOf<ShapeException>().With.Message.Contains("GlobalAvgPool2D"));
    }

    [Test]
    public void An_empty_batch_gives_an_empty_output_and_gradient()
    {
        foreach (Func<Value, Value> pool in new Func<Value, Value>[]
        {
            x => x.MaxPool2D((2, 3)), x => x.AvgPool2D((2, 3)), x => x.GlobalAvgPool2D(), x => x.GlobalMaxPool2D(),
            x => x.LpPool2D(2, (2, 3)), x => x.AdaptiveAvgPool2D((2, 3)), x => x.AdaptiveMaxPool2D((2, 3)),
        })
        {
            var graph = new Graph(GraphMode.Training);
            Value x = graph.Input(new Shape(0, 6, 9, 3)), y = pool(x);
            using var run = new GraphRun(One, graph, [], y, [x]);
            run.Run();
            Assert.That(y.Shape[0], Is.Zero);
            Assert.That(y.Shape[-1], Is.EqualTo(3));
            Assert.That(run.Read(y), Is.Empty);
            Assert.That(run.Gradient(x), Is.Empty);
        }
    }

    private (float[] Y, float[] Gradient, int Nodes) ReLUThenPool(double[] values, int kernel, int stride, bool readReLU)
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2, 9, 9, 17));
        Value relu = x.ReLU();
        Value y = relu.MaxPool2D((kernel, kernel), (stride, stride));
        using var run = new GraphRun(Two, graph, readReLU ? [relu] : [], y, [x]);
        run.Set(x, Array.ConvertAll(values, value => (float)value));
        run.SetRootGradient(Array.ConvertAll(OpCase.DrawUpstream((int)y.Shape.Count), value => (float)value));
        run.Run();
        return (run.Read(y), run.Gradient(x), run.Plan.Nodes.Count);
    }
}
