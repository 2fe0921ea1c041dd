namespace FastNN.Cuda.Tests;

/// <summary>
/// Users' operators on a GPU: without kernels they run on the host; with kernels, what does not fit the PTX is named.
/// </summary>
internal sealed class CustomOperatorTests : DeviceFixture
{
    private static readonly float[] Six = [1, -2, 3, -4, 5, -6];

    [Test]
    public void An_operator_without_kernels_runs_on_the_host()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([1, 6]);
        Value[] halves = new SplitHalves().ApplyAll(x);
        Value y = halves[0] * halves[1];
        using var run = new GraphRun(Gpu, graph, [y], y, [x]);
        run.Set(x, Six);
        run.Run();
        Assert.That(run.Read(y), Is.EqualTo(new float[] { -4, -10, -18 }));
        Assert.That(run.Gradient(x), Is.EqualTo(new float[] { -4, 5, -6, 1, -2, 3 }));
        Assert.That(run.Plan.IsCapturable, Is.False);
    }

    [Test]
    public void An_operator_with_kernels_can_be_captured()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([6]);
        Value y = new ScaledSoftsign(2, withKernels: true).Apply(x);
        using var run = new GraphRun(Gpu, graph, [y], y, [x]);
        Assert.That(run.Plan.IsCapturable);
    }

    [TestCase("nothing", 2, "the PTX has no kernel nothing; its entries are scaled_softsign_forward, scaled_softsign_backward")]
    [TestCase("scaled_softsign_forward", 2, "takes parameters of [8, 8, 8, 4] bytes, the launch passes [8, 8]")]
    public void A_launch_that_does_not_fit_the_ptx_is_named(string kernel, int arguments, string message)
    {
        string ptx = new ScaledSoftsign(2, withKernels: true).CudaKernels!.Ptx;
        Assert.That(
            () => Gpu.LaunchCustom(ptx, kernel, 1, 32, 0, new long[arguments], Enumerable.Repeat(8, arguments).ToArray()),
            Throws.TypeOf<DeviceException>().With.Message.Contains(message));
    }
}
