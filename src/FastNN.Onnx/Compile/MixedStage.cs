using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>A stage of a graph: the nodes that remain before it, and plans for the shapes that it has met.</summary>
internal sealed class MixedStage(MixedGraph graph, int[] remaining) : IDisposable
{
    // From so many recordings on, what changes from one to the next is looked at.
    private const int ManyPlans = 4;

    private readonly Lock _lock = new();
    private readonly HashSet<int> _restless = [];
    private MixedPlan[] _plans = [];
    private bool _disposed;

    public MixedGraph Graph => graph;

    /// <summary>The nodes that have not run yet, by their places in the graph.</summary>
    public int[] Remaining => remaining;

    /// <summary>Values whose shapes changed from call to call: small work on them is left to the host, since a recording for each
    /// shape costs more.</summary>
    public IReadOnlySet<int> Restless => _restless;

    public IReadOnlyList<MixedPlan> Plans => Volatile.Read(ref _plans);

    /// <summary>Runs the stage.</summary>
    /// <param name="run">The values, to which it adds.</param>
    public MixedPlan Run(MixedRun run)
    {
        while (true)
        {
            MixedPlan plan = Find(run.Frame) ?? Make(run.Frame, run.Known);
            try
            {
                plan.Run(run);
                return plan;
            }
            catch (ObjectDisposedException) when (!_disposed && Array.IndexOf(Volatile.Read(ref _plans), plan) < 0)
            {
                // Dropped by another caller's new shapes between being found and being entered.
                run.Count();
            }
        }
    }

    private MixedPlan? Find(HostFrame frame)
    {
        foreach (MixedPlan plan in Volatile.Read(ref _plans))
        {
            if (plan.IsFor(frame))
            {
                plan.LastUse = graph.Programs.Tick();
                return plan;
            }
        }

        return null;
    }

    private MixedPlan Make(HostFrame frame, bool[] known)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (Find(frame) is { } made)
            {
                return made;
            }

            MixedPlan[] plans = _plans;
            if (plans.Length >= ManyPlans)
            {
                // What differs from the plans that were used last.
                foreach (MixedPlan other in plans)
                {
                    _restless.UnionWith(other.Keys.Where(key => !key.Fits(frame.Slots[key.Slot])).Select(key => key.Slot));
                }
            }

            MixedPlan plan = MixedRecorder.Record(this, frame, known);
            if (plans.Length >= graph.Programs.MaxPlans)
            {
                MixedPlan oldest = plans.MinBy(candidate => candidate.LastUse)!;
                plans = [.. plans.Where(kept => kept != oldest)];
                Volatile.Write(ref _plans, plans);
                oldest.Dispose();
            }

            plan.LastUse = graph.Programs.Tick();
            Volatile.Write(ref _plans, [.. plans, plan]);
            return plan;
        }
    }

    /// <summary>Whether a graph has work that is worth a recording.</summary>
    public static bool IsHeavy(HostGraph body) => body.Nodes.Any(IsHeavy);

    /// <summary>Whether a node is a product, a convolution, a recurrence or a body with such.</summary>
    public static bool IsHeavy(HostNode node) => node.Definition.Operator is "MatMul" or "Gemm" or "Einsum" or "Conv"
            or "ConvTranspose" or "LSTM" or "GRU" or "RNN" or "Attention"
        || node.Bodies.Values.Any(IsHeavy) || (node.Function is { } function && IsHeavy(function));

    public void Trim()
    {
        foreach (MixedPlan plan in Volatile.Read(ref _plans))
        {
            plan.Session?.Trim();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (MixedPlan plan in _plans)
            {
                plan.Dispose();
            }

            Volatile.Write(ref _plans, []);
        }
    }
}
