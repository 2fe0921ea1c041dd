using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Tests.Graphs;

/// <summary>An operator without inputs takes part in recording, planning, gradients and sessions like any other.</summary>
internal sealed class NoInputTests : DeviceFixture
{
    [Test]
    public void Its_output_is_computed_and_takes_no_gradient([Values] GraphMode mode)
    {
        var graph = new Graph(mode);
        Value x = graph.Input([4]), filled = graph.Add(new FillOp([4], 3)), y = (x * filled) + filled;
        bool trains = mode == GraphMode.Training;
        using var run = new GraphRun(One, graph, [y, filled], trains ? y : null, trains ? [x] : []);
        run.Set(x, [1f, 2, 3, 4]);
        if (trains)
        {
            run.Run();
            Assert.That(run.Gradient(x), Is.EqualTo(new float[] { 3, 3, 3, 3 }));
        }
        else
        {
            run.Upload();
            run.Forward();
        }

        Assert.That(run.Read(y), Is.EqualTo(new float[] { 6, 9, 12, 15 }));
        Assert.That(run.Read(filled), Is.EqualTo(new float[] { 3, 3, 3, 3 }));
    }

    [Test]
    public void Two_equal_ones_become_one_where_nothing_is_trained()
    {
        var graph = new Graph(GraphMode.Inference);
        Value y = graph.Add(new FillOp([4], 3)) + graph.Add(new FillOp([4], 3));
        Assert.That(Compiler.Compile(One, graph, [y]).Nodes, Has.Count.EqualTo(2));
    }

    [Test]
    public void A_graph_of_nothing_else_runs_in_a_session()
    {
        var graph = new Graph(GraphMode.Inference);
        Value y = graph.Add(new FillOp([2, 2], 5));
        using Device device = Device.Cpu(1);
        using Session session = graph.Compile(device, [y + y]);
        using SessionRun run = session.Begin();
        run.Compute();
        var values = new float[4];
        run.Read(0, values.AsSpan());
        Assert.That(values, Is.EqualTo(new float[] { 10, 10, 10, 10 }));
    }

    private sealed record FillOp(Shape Shape, float Number) : Operator
    {
        public override string Name => "Fill";

        public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
        {
            RequireInputs(inputs, 0, 0);
            return [new TensorType(Shape)];
        }

        public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Memory.Fill(tensors.Output, Number);
    }
}
