using FastNN.Testing;


namespace FastNN.Peers;

/// <summary>
/// The operator compiled as any graph is. Its inputs lie on the device as parameters, and so does the gradient that comes from
/// above: it has a block of its own, which no step writes to.
/// </summary>
internal sealed class GraphKernelContender : IContender
{
    private readonly bool _backward;
    private readonly Device _device;
    private readonly GraphRun _run;

    public GraphKernelContender(GraphKernelCase @case, int threads)
    {
        _device = Device.Cpu(threads);
        _backward = @case.Backward;
        GraphKernel kernel = @case.Kernel;
        var graph = new Graph(_backward ? GraphMode.Training : GraphMode.Inference);
        var random = new Random(1);
        var parameters = new Parameter[kernel.Inputs.Length];
        for (var i = 0; i < parameters.Length; i++)
        {
            parameters[i] = new Parameter($"x{i}", kernel.Inputs[i], Initializer.Zeros, ParameterLayout.AsIs);
            parameters[i].Write(Uniform(random, kernel.Inputs[i].Count));
        }

        Value y = kernel.Engine([.. parameters.Select(graph.Use)]);
        _run = new GraphRun(_device.Implementation, graph, [y], _backward ? y : null, [], parameters);
        if (_backward)
        {
            _run.SetRootGradient(Uniform(random, y.Shape.Count));
            _run.Upload();
        }
    }

    public string Name => "fastnn";

    public void Step()
    {
        _run.Forward();
        if (_backward)
        {
            _run.Backward();
        }
    }

    public void Dispose()
    {
        _run.Dispose();
        _device.Dispose();
    }

    private static float[] Uniform(Random random, long count) =>
        [.. Enumerable.Range(0, (int)count).Select(_ => random.NextSingle() - 0.5f)];
}
