using System.Globalization;
using FastNN.Onnx.Host;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// A graph of a model while passes rewrite it: a copy of its nodes with producers and consumers by name. What the graphs among
/// its nodes' attributes read counts as used and is never renamed; each of those is such a graph itself (<see cref="Within"/>),
/// which sees the constants, types and shapes of the graphs around it.
/// </summary>
internal sealed class PassGraph
{
    private readonly ModelDef _model;
    private readonly PassGraph? _outer;
    private readonly ExternalData? _external;
    private readonly IReadOnlyDictionary<string, OnnxTensor> _known;
    private readonly Dictionary<string, TensorDef> _initializers;
    private readonly Dictionary<string, OnnxTensor?> _constants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NodeDef> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<NodeDef>> _consumers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _inputs;
    private readonly HashSet<string> _outputs;
    private readonly HashSet<string> _pinned = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<NodeDef> _live = [];
    private readonly List<NodeDef> _nodes = [];
    private PassShapes? _shapes;
    private int _fresh;

    /// <param name="model">The model, which is not changed.</param>
    /// <param name="external">Where tensors outside the file are.</param>
    /// <param name="newest">The newest opset that a node made by a pass may be of.</param>
    /// <param name="known">Inputs whose values are known, by name; null for none.</param>
    public PassGraph(
        ModelDef model, ExternalData? external, long newest, IReadOnlyDictionary<string, OnnxTensor>? known = null)
        : this(model, model.Graph!, external, newest, known, null)
    {
    }

    private PassGraph(
        ModelDef model, GraphDef graph, ExternalData? external, long newest, IReadOnlyDictionary<string, OnnxTensor>? known,
        PassGraph? outer)
    {
        (_model, Source, _external, Newest, _outer) = (model, graph, external, newest, outer);
        _known = known ?? new Dictionary<string, OnnxTensor>();
        _inputs = [.. graph.Inputs.Select(input => input.Name)];
        _outputs = [.. graph.Outputs.Select(output => output.Name)];
        _initializers = new Dictionary<string, TensorDef>(StringComparer.Ordinal);
        foreach (TensorDef initializer in graph.Initializers)
        {
            _initializers[initializer.Name] = initializer;
        }

        _names.UnionWith(_inputs);
        _names.UnionWith(_initializers.Keys);
        if (outer is not null)
        {
            _names.UnionWith(outer._names);
        }

        foreach (NodeDef node in graph.Nodes)
        {
            Add(new NodeDef
            {
                Name = node.Name,
                Operator = node.Operator,
                Domain = node.Domain,
                Overload = node.Overload,
                Inputs = [.. node.Inputs],
                Outputs = [.. node.Outputs],
                Attributes = new Dictionary<string, AttributeDef>(node.Attributes, StringComparer.Ordinal),
                Offset = node.Offset,
                Opset = node.Opset,
            });
        }
    }

    /// <summary>The newest opset that a node made by a pass may be of.</summary>
    public long Newest { get; }

    public GraphDef Source { get; }

    /// <summary>The element types of a body's inputs, where those of the node say them; null for the main graph, whose inputs
    /// have types.</summary>
    public IReadOnlyDictionary<string, OnnxElementType>? InputTypes { get; private init; }

    /// <summary>What is known of types and shapes. Values keep their names and meaning, so it stays true while nodes
    /// change.</summary>
    public PassShapes Shapes => _shapes ??= new PassShapes(this);

    /// <summary>The nodes at this moment, in no certain order.</summary>
    public IReadOnlyList<NodeDef> Nodes => [.. _nodes.Where(_live.Contains)];

    public int Count => _live.Count;

    public bool IsLive(NodeDef node) => _live.Contains(node);

    public bool IsInput(string name) => _inputs.Contains(name);

    public bool IsOutput(string name) => _outputs.Contains(name);

    /// <summary>Whether a value's name must stay: it is an output of the graph, or a graph among the attributes reads
    /// it.</summary>
    public bool IsKept(string name) => _outputs.Contains(name) || _pinned.Contains(name);

    /// <summary>The opset that a node is written in.</summary>
    public long Opset(NodeDef node) => node.Opset > 0 ? node.Opset : _model.Opsets.GetValueOrDefault(node.Domain, 1);

    /// <summary>Whether a node is an operator of the standard's own domain without graphs among its attributes.</summary>
    public bool IsPlain(NodeDef node) => node.Domain.Length == 0 && !HasBodies(node)
        && !_model.Functions.Exists(function => function.Domain.Length == 0 && function.Name == node.Operator);

    public bool Is(NodeDef? node, string name) => node is not null && node.Operator == name && IsPlain(node);

    /// <summary>The graph around this one that a value is of; null where this one has it.</summary>
    public PassGraph? Around(string name) => _outer is null || Defines(name) ? null : _outer;

    /// <summary>
    /// A graph among the attributes of a node, for passes to rewrite. Null where names of its own hide those around it, which
    /// would be mistaken for each other.
    /// </summary>
    public PassGraph? Within(NodeDef node, GraphDef body)
    {
        IEnumerable<string> own = body.Inputs.Select(input => input.Name)
            .Concat(body.Initializers.Select(initializer => initializer.Name))
            .Concat(body.Nodes.SelectMany(inner => inner.Outputs));
        return own.Any(Sees)
            ? null
            : new PassGraph(_model, body, _external, Newest, null, this) { InputTypes = TypesWithin(node, body) };
    }

    /// <summary>The number of a trip, the condition, and what a loop or scan carries keep their types.</summary>
    private Dictionary<string, OnnxElementType> TypesWithin(NodeDef node, GraphDef body)
    {
        var types = new Dictionary<string, OnnxElementType>(StringComparer.Ordinal);
        for (int i = 0; i < body.Inputs.Count && i < node.Inputs.Count && node.Domain.Length == 0; i++)
        {
            types[body.Inputs[i].Name] = (node.Operator, i) switch
            {
                ("Loop", 0) => OnnxElementType.Int64,
                ("Loop", 1) => OnnxElementType.Bool,
                ("Loop", _) => Shapes.Type(node.Inputs[i]),
                ("Scan", _) when Opset(node) >= 9 => Shapes.Type(node.Inputs[i]),
                _ => OnnxElementType.Undefined,
            };
        }

        return types;
    }

    private bool Sees(string name) => name.Length > 0 && (Defines(name) || _outer?.Sees(name) == true);

    private bool Defines(string name) => _inputs.Contains(name) || _producers.ContainsKey(name)
        || _initializers.ContainsKey(name) || Source.SparseInitializers.Exists(sparse => sparse.Values?.Name == name);

    /// <summary>What computes a value; null for inputs and initializers.</summary>
    public NodeDef? Producer(string name) => _producers.GetValueOrDefault(name);

    /// <summary>The producer of an input of a node, if it is this operator.</summary>
    public NodeDef? Producer(NodeDef node, int input, string name) =>
        input < node.Inputs.Count && Producer(node.Inputs[input]) is { } producer && Is(producer, name) ? producer : null;

    public IReadOnlyList<NodeDef> Consumers(string name) => _consumers.GetValueOrDefault(name) ?? (IReadOnlyList<NodeDef>)[];

    /// <summary>Whether one node reads a value, once, and nothing else does.</summary>
    public bool IsReadOnce(string name) => Consumers(name).Count == 1 && !IsKept(name);

    /// <summary>Whether nothing but these nodes reads what all of them but the last compute.</summary>
    public bool AreClosed(IReadOnlyCollection<NodeDef> nodes, NodeDef last) => nodes.All(node => node == last
        || node.Outputs.All(output => output.Length == 0 || (!IsKept(output) && Consumers(output).All(nodes.Contains))));

    /// <summary>The value of an initializer that no input stands for, of a Constant, or of an input that is known; null for all
    /// others.</summary>
    public OnnxTensor? Constant(string name)
    {
        if (Around(name) is { } outer)
        {
            return outer.Constant(name);
        }

        if (name.Length == 0 || _inputs.Contains(name))
        {
            return _known.GetValueOrDefault(name);
        }

        if (_constants.TryGetValue(name, out OnnxTensor? known))
        {
            return known;
        }

        OnnxTensor? value = _initializers.TryGetValue(name, out TensorDef? initializer)
            ? TensorDecoder.Decode(initializer, _external)
            : Producer(name) is { Operator: "Constant" } node && IsPlain(node) && Evaluate(node, []) is [OnnxTensor tensor]
                ? tensor
                : null;
        if (initializer is not null || value is not null)
        {
            _constants.Add(name, value);
        }

        return value;
    }

    /// <summary>Whether a value is constant, without reading it.</summary>
    public bool IsConstant(string name) => Around(name) is { } outer ? outer.IsConstant(name)
        : _inputs.Contains(name) ? _known.ContainsKey(name) : (_initializers.ContainsKey(name)
        || (Producer(name) is { Operator: "Constant" } node && IsPlain(node)));

    /// <summary>The extents of a constant, without reading it; null where there is none.</summary>
    public IReadOnlyList<long>? ConstantDims(string name) => Around(name) is { } outer ? outer.ConstantDims(name)
        : _inputs.Contains(name) ? _known.GetValueOrDefault(name) is { } given
            ? Array.ConvertAll(given.Dims, extent => (long)extent)
            : null
        : _initializers.TryGetValue(name, out TensorDef? initializer) ? initializer.Dims
        : Constant(name) is { } value ? Array.ConvertAll(value.Dims, extent => (long)extent) : null;

    /// <summary>The element type of a constant, without reading it; null where there is none.</summary>
    public OnnxElementType? ConstantType(string name) => Around(name) is { } outer ? outer.ConstantType(name)
        : _inputs.Contains(name) ? null
        : _initializers.TryGetValue(name, out TensorDef? initializer) ? initializer.Type
        : Constant(name)?.ElementType;

    /// <summary>A constant float32 input of a node.</summary>
    public OnnxTensor? Floats(NodeDef node, int input) =>
        input < node.Inputs.Count && Constant(node.Inputs[input]) is { ElementType: OnnxElementType.Float32 } value ? value
            : null;

    /// <summary>A constant float32 input of one element; null where there is none.</summary>
    public float? Scalar(NodeDef node, int input) =>
        input < node.Inputs.Count ? Scalar(node.Inputs[input]) : null;

    /// <summary>A constant of one float32 element of rank 0 or 1; null for all else.</summary>
    public float? Scalar(string name) => IsConstant(name) && ConstantDims(name) is { Count: <= 1 } dims
        && (dims.Count == 0 || dims[0] == 1) && Constant(name) is { ElementType: OnnxElementType.Float32, Count: 1 } value
        ? value.Array<float>()[0]
        : null;

    /// <summary>Constant integers of an input, or of an attribute where older opsets have them; null where neither is.</summary>
    public long[]? Longs(NodeDef node, int input, string attribute)
    {
        if (input >= 0 && input < node.Inputs.Count && node.Inputs[input].Length > 0)
        {
            return Constant(node.Inputs[input]) switch
            {
                { ElementType: OnnxElementType.Int64 } longs => longs.Array<long>(),
                { ElementType: OnnxElementType.Int32 } ints => Array.ConvertAll(ints.Array<int>(), value => (long)value),
                _ => null,
            };
        }

        return node.Attributes.GetValueOrDefault(attribute) is { Kind: AttributeKind.Ints } found ? [.. found.Ints] : null;
    }

    public static long Int(NodeDef node, string name, long otherwise) =>
        node.Attributes.GetValueOrDefault(name) is { Kind: AttributeKind.Int } found ? found.Int : otherwise;

    public static float Float(NodeDef node, string name, float otherwise) =>
        node.Attributes.GetValueOrDefault(name) is { Kind: AttributeKind.Float } found ? found.Float : otherwise;

    public static string Text(NodeDef node, string name, string otherwise) =>
        node.Attributes.GetValueOrDefault(name) is { Kind: AttributeKind.String } found
            ? System.Text.Encoding.UTF8.GetString(found.String)
            : otherwise;

    /// <summary>The elements of an initializer.</summary>
    public OnnxTensor Decode(TensorDef initializer) => TensorDecoder.Decode(initializer, _external);

    /// <summary>Looks again at which values bodies read, and at all types and shapes, since bodies have gone.</summary>
    public void ForgetBodies()
    {
        _shapes = null;
        _pinned.Clear();
        foreach (NodeDef node in _nodes.Where(_live.Contains))
        {
            Pin(node);
        }
    }

    /// <summary>Computes a node on the host; null where it cannot be.</summary>
    public OnnxValue?[]? Evaluate(NodeDef node, OnnxValue?[] inputs)
    {
        if (HostKernels.Find(node) is not { } kernel)
        {
            return null;
        }

        try
        {
            var host = new HostNode(0, node, Opset(node), kernel, new int[inputs.Length],
                [.. node.Outputs.Select(output => output.Length == 0 ? -1 : 0)]);
            return Narrowing.Call(host, inputs, new HostFrame(_external, 0));
        }
        catch (Exception e) when (e is OnnxException or FileFormatException or InvalidCastException or IndexOutOfRangeException
            or ArgumentException)
        {
            // What is wrong with the node is said where the model runs.
            return null;
        }
    }

    /// <summary>Adds a node.</summary>
    public NodeDef Add(NodeDef node)
    {
        _nodes.Add(node);
        _live.Add(node);
        foreach (string input in node.Inputs)
        {
            Read(input, node);
        }

        foreach (string output in node.Outputs)
        {
            if (output.Length > 0)
            {
                _producers[output] = node;
                _names.Add(output);
            }
        }

        Pin(node);
        return node;
    }

    private void Pin(NodeDef node)
    {
        foreach (AttributeDef attribute in node.Attributes.Values)
        {
            foreach (GraphDef body in Bodies(attribute))
            {
                HashSet<string> free = NodeOrder.Free(body);
                _pinned.UnionWith(free);
                _names.UnionWith(free);
                _names.UnionWith(NamesWithin(body));
            }
        }
    }

    // New names must not be those of a body, which would hide them there.
    private static IEnumerable<string> NamesWithin(GraphDef body) => body.Nodes.SelectMany(node => node.Outputs)
        .Concat(body.Initializers.Select(initializer => initializer.Name)).Concat(body.Inputs.Select(input => input.Name))
        .Concat(body.Nodes.SelectMany(node => node.Attributes.Values).SelectMany(Bodies).SelectMany(NamesWithin));

    /// <summary>Adds an operator of the standard's.</summary>
    /// <param name="name">The operator.</param>
    /// <param name="opset">The opset that its form is of.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="outputs">Its outputs.</param>
    /// <param name="like">A node whose name it takes; null for none.</param>
    /// <param name="attributes">Its attributes.</param>
    public NodeDef Add(
        string name, long opset, string[] inputs, string[] outputs, NodeDef? like, params ReadOnlySpan<AttributeDef> attributes)
    {
        var node = new NodeDef
        {
            Name = like?.Name ?? "",
            Operator = name,
            Inputs = [.. inputs],
            Outputs = [.. outputs],
            Opset = opset == _model.Opsets.GetValueOrDefault("", 1) ? 0 : opset,
        };
        foreach (AttributeDef attribute in attributes)
        {
            node.Attributes.Add(attribute.Name, attribute);
        }

        return Add(node);
    }

    /// <summary>Takes a node out. What read it must be given something else.</summary>
    public void Remove(NodeDef node)
    {
        if (!_live.Remove(node))
        {
            return;
        }

        foreach (string input in node.Inputs)
        {
            _consumers.GetValueOrDefault(input)?.Remove(node);
        }

        foreach (string output in node.Outputs)
        {
            if (_producers.GetValueOrDefault(output) == node)
            {
                _producers.Remove(output);
                _constants.Remove(output);
            }
        }
    }

    /// <summary>Takes a node out, and what only it read. What takes its place must be there before, since it reads some of
    /// that.</summary>
    public void RemoveWithInputs(NodeDef node)
    {
        var stack = new Stack<NodeDef>([node]);
        while (stack.TryPop(out NodeDef? next))
        {
            Remove(next);
            foreach (string input in next.Inputs)
            {
                if (Producer(input) is { } producer && IsUnused(producer))
                {
                    stack.Push(producer);
                }
            }
        }
    }

    /// <summary>Whether nothing reads any output of a node.</summary>
    public bool IsUnused(NodeDef node) => node.Outputs.All(output =>
        output.Length == 0 || (Consumers(output).Count == 0 && !IsKept(output)));

    /// <summary>Gives a node another input.</summary>
    public void SetInput(NodeDef node, int index, string name)
    {
        _consumers.GetValueOrDefault(node.Inputs[index])?.Remove(node);
        node.Inputs[index] = name;
        Read(name, node);
    }

    /// <summary>Gives a node's output another name; what read it must be given something else.</summary>
    public void SetOutput(NodeDef node, int index, string name)
    {
        _producers.Remove(node.Outputs[index]);
        node.Outputs[index] = name;
        _producers[name] = node;
        _names.Add(name);
        _shapes?.Forget(node);
    }

    /// <summary>Whether a value can take the place of another everywhere.</summary>
    public bool CanReplace(string value, string by) => !IsKept(value) || CanRename(by);

    /// <summary>
    /// Lets everything read a value in place of another. Where that one's name must stay, the value takes the name, if it can.
    /// </summary>
    public void Replace(NodeDef producer, string value, string by)
    {
        Remove(producer);
        if (IsKept(value))
        {
            NodeDef other = Producer(by)!;
            other.Outputs[other.Outputs.IndexOf(by)] = value;
            _producers.Remove(by);
            _constants.Remove(by);
            _producers[value] = other;
            _shapes?.Forget(other);
            (value, by) = (by, value);
        }

        foreach (NodeDef consumer in Consumers(value).ToArray())
        {
            for (int i = 0; i < consumer.Inputs.Count; i++)
            {
                if (consumer.Inputs[i] == value)
                {
                    SetInput(consumer, i, by);
                }
            }
        }
    }

    /// <summary>Adds an initializer.</summary>
    /// <returns>Its name.</returns>
    public string AddConstant(OnnxTensor value, string like)
    {
        string name = Fresh(like);
        AddConstant(name, value);
        return name;
    }

    /// <summary>Makes a value that nothing computes any more an initializer.</summary>
    public void AddConstant(string name, OnnxTensor value)
    {
        _initializers[name] = InitializerDef.Of(name, value);
        _constants[name] = value;
        _names.Add(name);
    }

    /// <summary>A name that no value has.</summary>
    public string Fresh(string like)
    {
        string name;
        do
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{like}_{++_fresh}");
        }
        while (!_names.Add(name));

        return name;
    }

    /// <summary>The nodes at this moment, each behind those whose outputs it reads.</summary>
    public IReadOnlyList<NodeDef> InOrder()
    {
        var graph = new GraphDef { Nodes = [.. Nodes] };
        return NodeOrder.Of(graph, name => !_producers.ContainsKey(name), "model");
    }

    /// <summary>The graph as it is now: nodes in order, without initializers that nothing reads.</summary>
    public GraphDef ToGraph(string file)
    {
        GraphDef source = Source;
        bool IsRead(string name) => _inputs.Contains(name) || IsKept(name) || Consumers(name).Count > 0;
        var sparse = source.SparseInitializers.Select(initializer => initializer.Values?.Name ?? "").ToHashSet();
        var graph = new GraphDef
        {
            Name = source.Name,
            Nodes = [.. Nodes],
            Inputs = source.Inputs,
            Outputs = source.Outputs,
            Values = [.. source.Values.Where(value => _producers.ContainsKey(value.Name))],
            Initializers = [.. _initializers.Values.Where(initializer => IsRead(initializer.Name)
                && !_producers.ContainsKey(initializer.Name))],
            SparseInitializers = source.SparseInitializers,
        };
        NodeDef[] ordered = [.. NodeOrder.Of(
            graph, name => _outer is not null || _inputs.Contains(name) || _initializers.ContainsKey(name)
                || sparse.Contains(name), file)];
        graph.Nodes.Clear();
        graph.Nodes.AddRange(ordered);
        return graph;
    }

    private bool CanRename(string name) =>
        Producer(name) is not null && !IsKept(name) && !_inputs.Contains(name);

    private void Read(string name, NodeDef node)
    {
        if (name.Length == 0)
        {
            return;
        }

        if (!_consumers.TryGetValue(name, out List<NodeDef>? consumers))
        {
            _consumers.Add(name, consumers = []);
        }

        consumers.Add(node);
    }

    private static bool HasBodies(NodeDef node) => node.Attributes.Values.Any(attribute => Bodies(attribute).Any());

    private static IEnumerable<GraphDef> Bodies(AttributeDef attribute) =>
        attribute.Graph is { } graph ? attribute.Graphs.Append(graph) : attribute.Graphs;
}
