using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN.Inference;

/// <summary>A plan for certain input shapes, with its constants on the device.</summary>
/// <param name="shapes">The shapes of the graph's inputs, in order.</param>
/// <param name="plan">The plan.</param>
/// <param name="constants">Its constants; the contexts that bind the plan hold them.</param>
internal sealed class CachedPlan(Shape[] shapes, Plan plan, ConstantBlock constants)
{
    private long _lastUse;

    public ReadOnlySpan<Shape> Shapes => shapes;

    public Plan Plan { get; } = plan;

    public ConstantBlock Constants { get; } = constants;

    /// <summary>Whether the cache has dropped it, so that nothing bound to it need be kept.</summary>
    public volatile bool IsDropped;

    public long LastUse
    {
        get => Volatile.Read(ref _lastUse);
        set => Volatile.Write(ref _lastUse, value);
    }
}

/// <summary>
/// Plans of one recording, keyed by the shapes of all its inputs; the least recently used goes. A hit takes no lock and allocates
/// nothing. Thread-safe.
/// </summary>
internal sealed class PlanCache(IDevice device, Graph graph, Value[] outputs, int capacity)
{
    private readonly Lock _gate = new();
    private CachedPlan[] _plans = [];
    private long _clock;

    public int Count => Volatile.Read(ref _plans).Length;

    /// <summary>The plan for these shapes, its constants held for the caller.</summary>
    /// <exception cref="ShapeException">The shapes do not fit the graph.</exception>
    public CachedPlan Hold(ReadOnlySpan<Shape> shapes)
    {
        if (Find(shapes) is { } found)
        {
            return found;
        }

        lock (_gate)
        {
            if (Find(shapes) is { } made)
            {
                return made;
            }

            CachedPlan plan = Make(shapes.ToArray());
            CachedPlan[] plans = _plans;
            if (plans.Length == capacity)
            {
                CachedPlan oldest = plans.MinBy(candidate => candidate.LastUse)!;
                plans = [.. plans.Where(kept => kept != oldest)];
                Drop(oldest);
            }

            plan.Constants.Hold();
            plan.LastUse = Interlocked.Increment(ref _clock);
            Volatile.Write(ref _plans, [.. plans, plan]);
            return plan;
        }
    }

    /// <summary>Drops all plans.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            foreach (CachedPlan plan in _plans)
            {
                Drop(plan);
            }

            Volatile.Write(ref _plans, []);
        }
    }

    private static void Drop(CachedPlan plan)
    {
        plan.IsDropped = true;
        plan.Constants.Dispose();
    }

    private CachedPlan? Find(ReadOnlySpan<Shape> shapes)
    {
        foreach (CachedPlan plan in Volatile.Read(ref _plans))
        {
            // One that is being dropped at this moment is as good as none.
            if (plan.Shapes.SequenceEqual(shapes) && plan.Constants.TryHold())
            {
                plan.LastUse = Interlocked.Increment(ref _clock);
                return plan;
            }
        }

        return null;
    }

    private CachedPlan Make(Shape[] shapes)
    {
        if (shapes.Length != graph.Inputs.Count)
        {
            throw new ShapeException($"Session: expected the shapes of {graph.Inputs.Count} inputs, got {shapes.Length}.");
        }

        var symbols = new SymbolValues();
        for (int i = 0; i < shapes.Length; i++)
        {
            if (shapes[i].IsSymbolic || shapes[i].Count == 0)
            {
                throw new ShapeException(
                    $"Session: expected positive extents for input '{graph.Inputs[i].Name}', got {shapes[i]}.");
            }

            symbols.Bind(graph.Inputs[i].Shape, shapes[i], $"Session: input '{graph.Inputs[i].Name}'");
        }

        Plan plan = Compiler.Compile(device, graph, symbols, outputs);
        return new CachedPlan(shapes, plan, new ConstantBlock(device, plan, graph.Constants));
    }
}
