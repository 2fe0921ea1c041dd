namespace FastNN.Graphs;

/// <summary>
/// Who recorded what: which call of which layer each node of a graph comes from. Graphs know no layers; they note objects.
/// </summary>
internal sealed class RecordingTrace
{
    private readonly Dictionary<Node, TracedCall> _callers = [];
    private readonly Dictionary<object, IReadOnlyList<Value>> _outputs = new(ReferenceEqualityComparer.Instance);
    private TracedCall? _current;

    /// <summary>From here to <see cref="Leave"/>, nodes are those of a call of an object.</summary>
    public void Enter(object what) => _current = new TracedCall(what, _current);

    /// <summary>Ends the call that began last.</summary>
    /// <param name="outputs">What it made; null where it failed.</param>
    public void Leave(IReadOnlyList<Value>? outputs)
    {
        if (outputs is not null)
        {
            _outputs.TryAdd(_current!.What, outputs);
        }

        _current = _current!.Outer;
    }

    /// <summary>Notes a node of the call that began last.</summary>
    public void Add(Node node)
    {
        if (_current is not null)
        {
            _callers.Add(node, _current);
        }
    }

    /// <summary>The innermost call that recorded a node; null for one of no call.</summary>
    public TracedCall? CallerOf(Node node) => _callers.GetValueOrDefault(node);

    /// <summary>What the first call of an object made; null where there was none.</summary>
    public IReadOnlyList<Value>? FirstOutputsOf(object what) => _outputs.GetValueOrDefault(what);
}

/// <summary>A call of an object within another; two calls are never equal.</summary>
internal sealed class TracedCall(object what, TracedCall? outer)
{
    public object What { get; } = what;

    public TracedCall? Outer { get; } = outer;
}
