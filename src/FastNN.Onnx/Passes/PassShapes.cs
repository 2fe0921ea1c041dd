using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// What is known of types and shapes before any input is: extents are numbers, or symbols that follow an input's extent through
/// the graph. Declared types of values between are not believed, only those of inputs, which every run is held against.
/// </summary>
internal sealed class PassShapes
{
    private const int MostElements = 32;

    private readonly PassGraph _graph;
    private readonly Dictionary<string, DimensionDef[]> _dims = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxElementType> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DimensionDef[]> _values = new(StringComparer.Ordinal);
    private readonly HashSet<NodeDef> _seen = [];

    public PassShapes(PassGraph graph)
    {
        _graph = graph;
        foreach (ValueDef input in graph.Source.Inputs)
        {
            if (graph.InputTypes is { } types)
            {
                // What a body declares of its inputs nothing is held against.
                if (types.GetValueOrDefault(input.Name) is not OnnxElementType.Undefined and var carried)
                {
                    _types[input.Name] = carried;
                }
            }
            else if (input.Type is { Element: not OnnxElementType.Undefined } type)
            {
                _types[input.Name] = type.Element;
                if (type.Shape is { } shape)
                {
                    _dims[input.Name] = [.. shape.Select((extent, axis) =>
                        extent.IsKnown ? extent : Extents.Unknown(input.Name, axis))];
                }
            }
        }
    }

    /// <summary>The extents of a value; null where not even its rank is known.</summary>
    public DimensionDef[]? Dims(string name)
    {
        if (_graph.Around(name) is { } outer)
        {
            return outer.Shapes.Dims(name);
        }

        Visit(name);
        return _dims.GetValueOrDefault(name)
            ?? (_graph.ConstantDims(name) is { } constant ? _dims[name] = Extents.Known(constant) : null);
    }

    public int? Rank(string name) => Dims(name)?.Length;

    /// <summary>The element type of a value; undefined where it is not known.</summary>
    public OnnxElementType Type(string name)
    {
        if (_graph.Around(name) is { } outer)
        {
            return outer.Shapes.Type(name);
        }

        Visit(name);
        return _types.TryGetValue(name, out OnnxElementType type) ? type
            : _graph.ConstantType(name) is { } constant ? _types[name] = constant
            : OnnxElementType.Undefined;
    }

    /// <summary>The integers that a value of rank 0 or 1 holds: numbers, or symbols of extents; null where they are not
    /// known.</summary>
    public DimensionDef[]? Integers(string name)
    {
        if (_graph.Around(name) is { } outer)
        {
            return outer.Shapes.Integers(name);
        }

        Visit(name);
        if (_values.TryGetValue(name, out DimensionDef[]? known))
        {
            return known;
        }

        return _graph.ConstantDims(name) is { Count: <= 1 } dims && (dims.Count == 0 || dims[0] <= MostElements)
            && _graph.Constant(name) is { ElementType: OnnxElementType.Int64 } value
            ? _values[name] = Array.ConvertAll(value.Array<long>(), number => new DimensionDef(number, null))
            : null;
    }

    /// <summary>Looks at a node again, since its outputs have other names.</summary>
    public void Forget(NodeDef node) => _seen.Remove(node);

    // Inputs first, without recursion: graphs are thousands of nodes deep.
    private void Visit(string name)
    {
        if (_graph.Producer(name) is not { } last || _seen.Contains(last))
        {
            return;
        }

        var stack = new Stack<(NodeDef Node, bool Ready)>([(last, false)]);
        while (stack.TryPop(out (NodeDef Node, bool Ready) next))
        {
            if (next.Ready)
            {
                Infer(next.Node);
            }
            else if (_seen.Add(next.Node))
            {
                stack.Push((next.Node, true));
                foreach (string input in next.Node.Inputs)
                {
                    if (_graph.Producer(input) is { } producer && !_seen.Contains(producer))
                    {
                        stack.Push((producer, false));
                    }
                }
            }
        }
    }

    private void Infer(NodeDef node)
    {
        if (!_graph.IsPlain(node))
        {
            return;
        }

        string first = node.Inputs.Count > 0 ? node.Inputs[0] : "";
        OnnxElementType type = Inference.TypeOf(_graph, node, first.Length > 0 ? Type(first) : OnnxElementType.Undefined,
            node.Inputs.Count > 1 ? node.Inputs[1] : "", Type);
        if (type != OnnxElementType.Undefined)
        {
            foreach (string output in node.Outputs)
            {
                _types[output] = type;
            }
        }

        DimensionDef[]?[] outputs = Inference.DimsOf(_graph, this, node);
        for (int i = 0; i < outputs.Length && i < node.Outputs.Count; i++)
        {
            if (outputs[i] is { } dims)
            {
                _dims[node.Outputs[i]] = dims;
            }
        }

        if (Inference.IntegersOf(_graph, this, node) is { Length: <= MostElements } integers)
        {
            _values[node.Outputs[0]] = integers;
        }
    }
}
