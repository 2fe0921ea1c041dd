using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Model;

// The messages of the standard, as they stand in a file: names for what belongs together, nothing computed.

/// <summary>A tensor in a file. Its elements stay where they are until they are asked for.</summary>
internal sealed class TensorDef
{
    public string Name { get; set; } = "";

    public OnnxElementType Type { get; set; }

    public List<long> Dims { get; } = [];

    /// <summary>Elements as bytes, the standard's raw_data.</summary>
    public ByteRange? Raw { get; set; }

    /// <summary>Elements in a typed list, with the field's number: 4 float, 5 int32, 6 string, 7 int64, 10 double, 11
    /// uint64.</summary>
    public List<(int Field, ByteRange Range)> Lists { get; } = [];

    /// <summary>The elements of a tensor that was made here, which <see cref="Raw"/> has as bytes.</summary>
    public OnnxTensor? Value { get; init; }

    /// <summary>Where the elements stand in a file of their own: location, offset, length.</summary>
    public Dictionary<string, string>? External { get; set; }

    /// <summary>Where the tensor's message begins.</summary>
    public long Offset { get; init; }

    /// <summary>The content that it was read from.</summary>
    public required Content Content { get; init; }
}

/// <summary>A sparse tensor: values, their places, the dense shape.</summary>
internal sealed class SparseTensorDef
{
    public TensorDef? Values { get; set; }

    public TensorDef? Indices { get; set; }

    public List<long> Dims { get; } = [];
}

/// <summary>Which field of an attribute holds its value.</summary>
internal enum AttributeKind
{
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Graph = 5,
    Floats = 6,
    Ints = 7,
    Strings = 8,
    Tensors = 9,
    Graphs = 10,
    SparseTensor = 11,
    SparseTensors = 12,
    Type = 13,
    Types = 14,
}

/// <summary>An attribute of a node.</summary>
internal sealed class AttributeDef
{
    public string Name { get; set; } = "";

    /// <summary>Within a function: the attribute of the calling node that this one takes its value from.</summary>
    public string Reference { get; set; } = "";

    public AttributeKind Kind { get; set; }

    public float Float { get; set; }

    public long Int { get; set; }

    public byte[] String { get; set; } = [];

    public TensorDef? Tensor { get; set; }

    public GraphDef? Graph { get; set; }

    public SparseTensorDef? Sparse { get; set; }

    public TypeDef? Type { get; set; }

    public List<float> Floats { get; } = [];

    public List<long> Ints { get; } = [];

    public List<byte[]> Strings { get; } = [];

    public List<TensorDef> Tensors { get; } = [];

    public List<GraphDef> Graphs { get; } = [];
}

/// <summary>A node: an operator, its inputs and outputs by name.</summary>
internal sealed class NodeDef
{
    public string Name { get; set; } = "";

    public string Operator { get; set; } = "";

    public string Domain { get; set; } = "";

    public string Overload { get; set; } = "";

    public List<string> Inputs { get; init; } = [];

    public List<string> Outputs { get; init; } = [];

    public Dictionary<string, AttributeDef> Attributes { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Where the node's message begins, or -1 where the node was made here.</summary>
    public long Offset { get; init; } = -1;

    /// <summary>The opset that the node is written in where that is not the model's; 0 elsewhere.</summary>
    public long Opset { get; init; }

    /// <summary>What messages call it: its operator, and its name or its first output.</summary>
    public string Title => Name.Length > 0 ? $"{Operator} '{Name}'"
        : Outputs.Count > 0 ? $"{Operator} (output '{Outputs[0]}')" : Operator;
}

/// <summary>The type of a value.</summary>
internal sealed class TypeDef
{
    /// <summary>A tensor's element type; undefined where it is no tensor.</summary>
    public OnnxElementType Element { get; set; }

    /// <summary>A tensor's extents: numbers, symbols, or nothing; null where not even the rank is known.</summary>
    public List<DimensionDef>? Shape { get; set; }

    /// <summary>What a sequence is of.</summary>
    public TypeDef? SequenceOf { get; set; }

    /// <summary>What an optional holds.</summary>
    public TypeDef? OptionalOf { get; set; }

    /// <summary>What a map goes to.</summary>
    public TypeDef? MapOf { get; set; }

    /// <summary>What a map's keys are: text or integers.</summary>
    public OnnxElementType MapKey { get; set; }

    /// <summary>The kind of what is none of these: sparse tensor, opaque.</summary>
    public string? Other { get; set; }
}

/// <summary>An extent: a number, a symbol, or unknown.</summary>
internal readonly record struct DimensionDef(long Value, string? Symbol)
{
    public bool IsKnown => Value >= 0;

    public override string ToString() => IsKnown ? Value.ToString(System.Globalization.CultureInfo.InvariantCulture) : Symbol
        ?? "?";
}

/// <summary>A value with its type.</summary>
internal sealed class ValueDef
{
    public string Name { get; set; } = "";

    public TypeDef? Type { get; set; }
}

/// <summary>A graph: nodes in an order in which they can run, values by name.</summary>
internal sealed class GraphDef
{
    public string Name { get; set; } = "";

    public List<NodeDef> Nodes { get; init; } = [];

    public List<ValueDef> Inputs { get; init; } = [];

    public List<ValueDef> Outputs { get; init; } = [];

    public List<ValueDef> Values { get; init; } = [];

    public List<TensorDef> Initializers { get; init; } = [];

    public List<SparseTensorDef> SparseInitializers { get; init; } = [];

    /// <summary>The same graph with other initializers, under a name, which a file has to have.</summary>
    public GraphDef With(List<TensorDef> initializers) => new()
    {
        Name = Name.Length > 0 ? Name : "graph",
        Nodes = Nodes,
        Inputs = Inputs,
        Outputs = Outputs,
        Values = Values,
        Initializers = initializers,
        SparseInitializers = SparseInitializers,
    };
}

/// <summary>A function that the model brings along: an operator with a body of nodes.</summary>
internal sealed class FunctionDef
{
    public string Name { get; set; } = "";

    public string Domain { get; set; } = "";

    public string Overload { get; set; } = "";

    public List<string> Inputs { get; } = [];

    public List<string> Outputs { get; } = [];

    public List<AttributeDef> Defaults { get; } = [];

    public List<NodeDef> Nodes { get; } = [];

    public Dictionary<string, long> Opsets { get; } = new(StringComparer.Ordinal);
}

/// <summary>A model file.</summary>
internal sealed class ModelDef
{
    public long IrVersion { get; set; }

    public string Producer { get; set; } = "";

    public string ProducerVersion { get; set; } = "";

    public string Domain { get; set; } = "";

    public long Version { get; set; }

    public string Documentation { get; set; } = "";

    public Dictionary<string, long> Opsets { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    public GraphDef? Graph { get; set; }

    public List<FunctionDef> Functions { get; } = [];

    /// <summary>The same model for inputs of these extents (null leaves an input's type as it is); nodes and tensors are
    /// shared.</summary>
    public ModelDef WithInputExtents(int[]?[] extents)
    {
        GraphDef graph = Graph!;
        ValueDef[] inputs = [.. graph.Inputs.Select((input, i) => extents[i] is not { } own || input.Type is null
            ? input
            : new ValueDef
            {
                Name = input.Name,
                Type = new TypeDef
                {
                    Element = input.Type.Element,
                    Shape = [.. own.Select(extent => new DimensionDef(extent, null))],
                },
            })];
        var model = new ModelDef
        {
            IrVersion = IrVersion,
            Graph = new GraphDef
            {
                Name = graph.Name,
                Nodes = graph.Nodes,
                Inputs = [.. inputs],
                Outputs = graph.Outputs,
                Initializers = graph.Initializers,
                SparseInitializers = graph.SparseInitializers,
            },
        };
        foreach ((string domain, long version) in Opsets)
        {
            model.Opsets.Add(domain, version);
        }

        model.Functions.AddRange(Functions);
        return model;
    }

    /// <summary>The same model with another graph.</summary>
    public ModelDef With(GraphDef graph)
    {
        var model = new ModelDef
        {
            IrVersion = IrVersion,
            Producer = Producer,
            ProducerVersion = ProducerVersion,
            Domain = Domain,
            Version = Version,
            Documentation = Documentation,
            Graph = graph,
        };
        foreach ((string domain, long version) in Opsets)
        {
            model.Opsets.Add(domain, version);
        }

        foreach ((string key, string value) in Metadata)
        {
            model.Metadata.Add(key, value);
        }

        model.Functions.AddRange(Functions);
        return model;
    }
}
