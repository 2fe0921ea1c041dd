using FastNN.Graphs;
using FastNN.Onnx.Host;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Compile;

/// <summary>
/// Runs graphs of which the engine lacks nodes: what it has runs on it, the rest on the host in between. Bodies of branches and
/// loops that the host runs are such graphs themselves.
/// </summary>
/// <param name="device">What computes.</param>
/// <param name="constants">Weights, which recordings share.</param>
/// <param name="external">Where tensors outside the file are.</param>
/// <param name="maxPlans">How many recordings a stage keeps, one for each set of shapes.</param>
/// <param name="budget">What arenas and values between stages may hold together.</param>
/// <param name="limit">The most bytes that one call may need of it.</param>
internal sealed class MixedPrograms(
    Device device, ConstantPool constants, ExternalData? external, int maxPlans, ArenaBudget budget, long limit) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<HostGraph, MixedGraph?> _graphs = [];
    private long _clock;
    private bool _disposed;

    public Device Device => device;

    public ConstantPool Constants => constants;

    public ExternalData? External => external;

    /// <summary>How many recordings a stage keeps, one for each set of shapes.</summary>
    public int MaxPlans => maxPlans;

    public ArenaBudget Budget => budget;

    public long Limit => limit;

    /// <summary>A number for each use of a plan, so that the one that was not used for the longest time is known.</summary>
    public long Tick() => Interlocked.Increment(ref _clock);

    /// <summary>Runs a model's graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="arguments">Its inputs.</param>
    /// <param name="given">What they are, for messages.</param>
    /// <param name="peak">The most bytes of arenas and values that it held at a time.</param>
    public OnnxValue?[] Run(HostGraph graph, OnnxValue?[] arguments, Func<string> given, out long peak)
    {
        var call = new MixedCall(this, given);
        OnnxValue?[] outputs = Of(graph, isBody: false)!.Run(call, arguments, null);
        peak = call.Peak;
        return outputs;
    }

    /// <summary>How many nodes of a graph the host runs for the shapes that it has met last, and how many there are.</summary>
    public (int Host, int All) Count(HostGraph graph) => Of(graph, isBody: false)!.Count();

    /// <summary>A graph in stages; null for a body that the host runs as fast.</summary>
    public MixedGraph? Of(HostGraph graph, bool isBody)
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

    /// <summary>Gives back the idle arenas of the stage that was not used for the longest time; 0 where there are
    /// none.</summary>
    public long TrimOldest()
    {
        foreach (MixedPlan plan in Graphs().SelectMany(graph => graph?.Plans ?? []).OrderBy(plan => plan.LastUse))
        {
            if (plan.Session?.TrimIdle() is > 0 and var bytes)
            {
                return bytes;
            }
        }

        return 0;
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
