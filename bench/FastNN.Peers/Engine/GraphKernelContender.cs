using FastNN.Testing;


namespace FastNN.Peers;

/// <summary>
/// The operator compiled as any graph is. Its inputs lie on the device as parameters; the gradient that comes from above is
/// copied in for each step, which is charged to this side alone.
/// </summary>
internal sealed class GraphKernelContender : IContender
{
    private readonly Device _device;
    private readonly GraphRun _run;

    public GraphKernelContender(GraphKernel kernel, int threads)
    {
        _device = Device.Cpu(threads);
        var graph = new Graph(GraphMode.Training);
        var random = new Random(1);
        var parameters = new Parameter[kernel.Inputs.Length];
        for (var i = 0; i < parameters.Length; i++)
        {
            parameters[i] = new Parameter($"x{i}", kernel.Inputs[i], Initializer.Zeros, ParameterLayout.AsIs);
            parameters[i].Write(Uniform(random, kernel.Inputs[i].Count));
        }

        Value y = kernel.Engine([.. parameters.Select(graph.Use)]);
        _run = new GraphRun(_device.Implementation, graph, [y], y, [], parameters);
        _run.SetRootGradient(Uniform(random, y.Shape.Count));
    }

    public string Name => "fastnn";

    public void Step() => _run.Run();

    public void Dispose()
    {
        _run.Dispose();
        _device.Dispose();
    }

    private static float[] Uniform(Random random, long count) =>
        [.. Enumerable.Range(0, (int)count).Select(_ => random.NextSingle() - 0.5f)];
}
