using FastNN.Graphs;
using FastNN.Onnx.Host;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Compile;

/// <summary>
/// Runs graphs of which the engine lacks nodes: what it has runs on it, the rest on the host in between. Bodies of branches and
/// loops that the host runs are such graphs themselves.
/// </summary>
internal sealed class MixedPrograms(Device device, ConstantPool constants, ExternalData? external, int maxPlans)
    : IBodyRunner, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<HostGraph, MixedGraph?> _graphs = [];
    private bool _disposed;

    public Device Device => device;

    public ConstantPool Constants => constants;

    public ExternalData? External => external;

    /// <summary>How many recordings a stage keeps, one for each set of shapes.</summary>
    public int MaxPlans => maxPlans;

    /// <summary>Runs a model's graph.</summary>
    public OnnxValue?[] Run(HostGraph graph, OnnxValue?[] arguments) => Of(graph, isBody: false)!.Run(arguments, null);

    /// <inheritdoc/>
    public OnnxValue?[]? Run(HostGraph body, OnnxValue?[] arguments, HostFrame outer) =>
        Of(body, isBody: true)?.Run(arguments, outer);

    /// <summary>How many nodes of a graph the host runs for the shapes that it has met last, and how many there are.</summary>
    public (int Host, int All) Count(HostGraph graph) => Of(graph, isBody: false)!.Count();

    private MixedGraph? Of(HostGraph graph, bool isBody)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_graphs.TryGetValue(graph, out MixedGraph? mixed))
            {
                mixed = isBody && !MixedStage.IsHeavy(graph) ? null : new MixedGraph(graph, this);
                _graphs.Add(graph, mixed);
            }

            return mixed;
        }
    }

    public void Trim()
    {
        foreach (MixedGraph? graph in Graphs())
        {
            graph?.Trim();
        }
    }

    public void Dispose()
    {
        foreach (MixedGraph? graph in Graphs(isLast: true))
        {
            graph?.Dispose();
        }
    }

    private MixedGraph?[] Graphs(bool isLast = false)
    {
        lock (_lock)
        {
            _disposed |= isLast;
            return [.. _graphs.Values];
        }
    }
}
