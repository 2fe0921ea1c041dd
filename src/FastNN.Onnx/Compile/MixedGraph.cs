using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>
/// A graph in stages. A stage records whatever of the nodes that remain follows from the values that are there, runs it on the
/// engine, then runs on the host those nodes that the engine lacks, and leaves what follows from them to the next stage, which
/// knows their shapes then. Which stages there are shows while the graph runs, since shapes may depend on values.
/// </summary>
internal sealed class MixedGraph(HostGraph graph, MixedPrograms programs) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<MixedStage> _stages = [];
    private int _onHost;

    public HostGraph Graph => graph;

    /// <summary>Values that are the same in every run.</summary>
    public IReadOnlySet<int> Fixed { get; } =
        graph.Constants.Select(constant => constant.Slot).Except(graph.Inputs).ToHashSet();

    public MixedPrograms Programs => programs;

    public OnnxValue?[] Run(MixedCall call, OnnxValue?[] arguments, HostFrame? outer)
    {
        HostFrame frame = graph.Enter(
            arguments, outer, new HostFrame(programs.External, graph.SlotCount) { Bodies = call });
        using var run = new MixedRun(call, graph, frame);
        int onHost = 0;
        for (MixedStage? stage = Stage([.. Enumerable.Range(0, graph.Nodes.Count)]); stage is not null;)
        {
            MixedPlan plan = stage.Run(run);
            onHost += plan.HostNodes.Length;
            stage = plan.Next;
        }

        Volatile.Write(ref _onHost, onHost);
        return graph.Leave(frame);
    }

    public (int Host, int All) Count() => (Volatile.Read(ref _onHost), graph.Nodes.Count);

    /// <summary>The stage that has these nodes before it; null where there are none.</summary>
    public MixedStage? Stage(int[] remaining)
    {
        if (remaining.Length == 0)
        {
            return null;
        }

        lock (_lock)
        {
            MixedStage? stage = _stages.Find(known => known.Remaining.AsSpan().SequenceEqual(remaining));
            if (stage is null)
            {
                _stages.Add(stage = new MixedStage(this, remaining));
            }

            return stage;
        }
    }

    /// <summary>The plans of all stages.</summary>
    public IEnumerable<MixedPlan> Plans => Stages().SelectMany(stage => stage.Plans);

    public void Trim() => Array.ForEach(Stages(), stage => stage.Trim());

    public void Dispose() => Array.ForEach(Stages(), stage => stage.Dispose());

    // Stages have a lock of their own, within which they ask for others.
    private MixedStage[] Stages()
    {
        lock (_lock)
        {
            return [.. _stages];
        }
    }
}
