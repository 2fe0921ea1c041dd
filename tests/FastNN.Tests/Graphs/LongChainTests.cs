using System.Diagnostics;

namespace FastNN.Tests.Graphs;

/// <summary>
/// Nothing is recursive or quadratic in the number of nodes: chains of 100,000 record, plan and run in seconds.
/// </summary>
internal sealed class LongChainTests : DeviceFixture
{
    private const int Nodes = 100_000;

    [Test]
    public void A_chain_for_inference_runs()
    {
        var clock = Stopwatch.StartNew();
        var graph = new Graph(GraphMode.Inference);
        Value y = graph.Input(new Shape(2));
        for (int i = 0; i < Nodes; i++)
        {
            y = i % 2 == 0 ? y + graph.Constant(1) : y.ReLU();
        }

        using Device device = Device.Cpu(1);
        using Session session = graph.Compile(device, [y]);
        var result = new float[2];
        session.Run([1, 2], result);
        Report(clock);
        Assert.That(result, Is.EqualTo(new float[] { 1 + (Nodes / 2), 2 + (Nodes / 2) }));
    }

    [Test]
    public void A_chain_with_gradients_runs()
    {
        var clock = Stopwatch.StartNew();
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(2)), y = x;
        for (int i = 0; i < Nodes; i++)
        {
            y = y.Sigmoid();
        }

        using var run = new GraphRun(One, graph, [y], y, [x]);
        run.Set(x, [0.3f, -0.2f]);
        run.Run();
        Report(clock);
        Assert.That(run.Read(y), Is.All.InRange(0.65f, 0.67f), "the fixed point of the sigmoid");
        Assert.That(run.Gradient(x), Is.All.Zero);
    }

    [Test]
    public void A_chain_of_parameters_trains()
    {
        var clock = Stopwatch.StartNew();
        var model = new Biases(10_000);
        model.Build([2]);
        using Device device = Device.Cpu(1);
        using var weights = new DeviceWeights(device, model);
        using var step = new TrainingStep(
            weights,
            s => s.Loss(
                "loss",
                Loss.MeanSquaredError.Apply(model.Apply(s.Input("x", [Dim.Batch, 2])), s.Input("target", [Dim.Batch, 2]))),
            [(new Sgd(1e-6f), model.Parameters)]);
        step.Begin([3, 2], [3, 2]);
        step.Write("x", [1f, 2, 3, 4, 5, 6]);
        step.Write("target", new float[6]);
        Assert.That(step.Run(), Is.EqualTo(91f / 6).Within(1e-4));
        Report(clock);
    }

    private static void Report(Stopwatch clock)
    {
        TestContext.Out.WriteLine($"{clock.ElapsedMilliseconds} ms");
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(60)), "quadratic time would take minutes");
    }

    private sealed class Biases(int count) : Layer
    {
        private readonly List<Parameter> _biases = [];

        protected override void Build(Value x) =>
            _biases.AddRange(Enumerable.Range(0, count).Select(i => AddParameter($"bias{i}", new Shape(2), Initializer.Zeros)));

        protected override Value Forward(Value x) => _biases.Aggregate(x, (y, bias) => y + x.Graph.Use(bias));
    }
}
