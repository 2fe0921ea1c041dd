using FastNN.Graphs;
using FastNN.Ops;

namespace FastNN.Layers;

/// <summary>
/// A model's recording for inference, with the places in it that its operators come from and what each of them costs.
/// </summary>
internal sealed class ModelTrace
{
    private readonly RecordingTrace _trace = new();
    private readonly Dictionary<TracedCall, string> _scopes = [];
    private readonly Dictionary<TracedCall, HashSet<string>> _names = [];
    private readonly HashSet<string> _outermost = new(StringComparer.Ordinal);

    public ModelTrace(Layer model)
    {
        Graph = new Graph(GraphMode.Inference) { Trace = _trace };
        Inputs = [.. model.Signature!.Select(input => Graph.Input(input.Shape.Prepend(Dim.Batch), input.Type, input.Name))];
        Outputs = model.Apply(Inputs);
        OutputNames = model.OutputNames;
        Nodes = [.. Graph.Nodes.Select(node => new TracedNode(node, ScopeOf(_trace.CallerOf(node)!, model)))];
    }

    public Graph Graph { get; }

    public Value[] Inputs { get; }

    public IReadOnlyList<Value> Outputs { get; }

    public IReadOnlyList<string> OutputNames { get; }

    /// <summary>All operators in order.</summary>
    public IReadOnlyList<TracedNode> Nodes { get; }

    /// <summary>What the first call of a layer made; null where it was not called.</summary>
    public IReadOnlyList<Value>? FirstOutputsOf(Layer layer) => _trace.FirstOutputsOf(layer);

    /// <summary>
    /// What each layer costs for one example without the layers in it, all of its calls together; null where extents beside the
    /// batch's are symbols, so that the cost depends on them.
    /// </summary>
    /// <param name="known">The layers to tell apart; what others do counts for the one that called them.</param>
    public Dictionary<Layer, LayerCost>? Costs(IReadOnlySet<Layer> known)
    {
        var symbols = new SymbolValues();
        symbols.Bind(Dim.Batch, 1);
        var types = new Dictionary<Value, TensorType>();
        var costs = new Dictionary<Layer, LayerCost>(ReferenceEqualityComparer.Instance);
        foreach (Node node in Graph.Nodes)
        {
            NodeTypes numbers;
            try
            {
                numbers = Bind(node);
            }
            catch (ShapeException)
            {
                return null;
            }

            TracedCall? call = _trace.CallerOf(node);
            while (call is not null && !known.Contains((Layer)call.What))
            {
                call = call.Outer;
            }

            if (call?.What is Layer layer)
            {
                LayerCost before = costs.GetValueOrDefault(layer);
                costs[layer] = new LayerCost(
                    before.Flops + OperatorCost.Of(node.Op, numbers).Flops,
                    before.Bytes + (node.Op.IsView ? 0 : numbers.Outputs.Sum(output => output.Bytes)));
            }
        }

        return costs;

        NodeTypes Bind(Node node)
        {
            NodeTypes numbers = NodeTypes.Of(
                node.Op.Resolve(symbols),
                Array.ConvertAll(node.Inputs, input => types.TryGetValue(input, out TensorType type)
                    ? type
                    : input.TensorType with { Shape = symbols.Resolve(input.Shape) }));
            for (int i = 0; i < node.Outputs.Length; i++)
            {
                symbols.Bind(node.Outputs[i].Shape, numbers.Outputs[i].Shape, node.Op.Name);
                types.Add(node.Outputs[i], numbers.Outputs[i]);
            }

            return numbers;
        }
    }

    /// <summary>
    /// The names of the calls around a node from the model inwards, joined by "/"; "" for the model itself. A layer that is
    /// called again has another name each time.
    /// </summary>
    private string ScopeOf(TracedCall call, Layer model)
    {
        if (_scopes.TryGetValue(call, out string? scope))
        {
            return scope;
        }

        // Layers lie in one another at most MaxDepth deep, far below what a stack takes.
        string outer = call.Outer is null ? "" : ScopeOf(call.Outer, model);
        var layer = (Layer)call.What;
        string name = call.Outer is null && layer == model ? "" : NameIn(call.Outer, layer);
        if (name.Length > 0)
        {
            HashSet<string> taken = call.Outer is null ? _outermost : Names(call.Outer);
            string first = name;
            for (int i = 1; !taken.Add(name); i++)
            {
                name = $"{first}_{i}";
            }
        }

        scope = outer.Length == 0 || name.Length == 0 ? outer + name : $"{outer}/{name}";
        return _scopes[call] = scope;
    }

    private HashSet<string> Names(TracedCall outer)
    {
        if (!_names.TryGetValue(outer, out HashSet<string>? names))
        {
            _names.Add(outer, names = new HashSet<string>(StringComparer.Ordinal));
        }

        return names;
    }

    private static string NameIn(TracedCall? outer, Layer layer)
    {
        foreach ((string name, Layer child) in outer is null ? [] : ((Layer)outer.What).Children)
        {
            if (ReferenceEquals(child, layer))
            {
                return name;
            }
        }

        // A layer that the user's own code calls without having added it.
        return layer.Name ?? layer.GetType().Name;
    }
}

/// <summary>An operator of a model.</summary>
/// <param name="Node">The operator with what it takes and makes.</param>
/// <param name="Scope">Where in the model it is: "encoder/0".</param>
internal readonly record struct TracedNode(Node Node, string Scope);

/// <summary>What a layer costs.</summary>
/// <param name="Flops">Floating-point operations.</param>
/// <param name="Bytes">Bytes of what its operators make, views apart.</param>
internal readonly record struct LayerCost(double Flops, long Bytes);
