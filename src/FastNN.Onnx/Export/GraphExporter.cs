using FastNN.Onnx.Model;
using FastNN.Onnx.Train;

namespace FastNN.Onnx.Export;

/// <summary>An input or output of the file to be.</summary>
/// <param name="Name">What the file calls it.</param>
/// <param name="Value">The value in the engine's graph.</param>
internal sealed record ExportPort(string Name, Value Value)
{
    /// <summary>Whether the file has its channels in front of the spatial axes, where the engine has them last.</summary>
    public bool IsFirst { get; init; }
}

/// <summary>
/// Writes a recorded graph as an ONNX graph: node by node, each by the rule of its operator, with channels in front of spatial
/// axes from the first convolution to the last.
/// </summary>
internal sealed class GraphExporter
{
    private readonly Dictionary<Value, ExportValue> _values = [];
    private readonly Dictionary<int, (ExportValue Value, int Axis)> _extents = [];
    private readonly Dictionary<int, string> _written = [];
    private readonly HashSet<Value> _used = [];
    private readonly Func<Parameter, string> _nameOf;

    private GraphExporter(long opset, Func<Parameter, string> nameOf)
    {
        Emit = new Emitter(opset);
        _nameOf = nameOf;
    }

    public Emitter Emit { get; }

    /// <summary>The file, and how its inputs and outputs lie.</summary>
    public sealed record Result(GraphDef Graph, IReadOnlyList<ExportPort> Inputs, IReadOnlyList<ExportPort> Outputs);

    /// <summary>Writes a graph.</summary>
    /// <param name="inputs">The graph's inputs that the file has, by name.</param>
    /// <param name="outputs">What the file computes, by name.</param>
    /// <param name="nameOf">What the file calls a parameter.</param>
    /// <param name="opset">The version of the standard's operators.</param>
    /// <param name="channelsLast">Whether inputs and outputs stay as the engine has them.</param>
    /// <param name="origin">The file that the graph was read from, whose inputs and outputs lie as this one's shall; null to have
    /// the channels of images in front.</param>
    /// <exception cref="OnnxException">An operator cannot be written.</exception>
    public static Result Write(
        IReadOnlyList<(string Name, Value Value)> inputs, IReadOnlyList<(string Name, Value Value)> outputs,
        Func<Parameter, string> nameOf, long opset, bool channelsLast, TrainableNetwork? origin = null)
    {
        var exporter = new GraphExporter(opset, nameOf);
        return exporter.Write(inputs, outputs, channelsLast, origin);
    }

    private Result Write(
        IReadOnlyList<(string Name, Value Value)> inputs, IReadOnlyList<(string Name, Value Value)> outputs, bool channelsLast,
        TrainableNetwork? origin)
    {
        Graph graph = outputs[0].Value.Graph;
        var needed = new NeededNodes([.. outputs.Select(output => output.Value)]);
        _used.UnionWith(needed.Used);
        ILookup<Value, (Node Node, int Input)> readers = graph.Nodes
            .SelectMany(node => node.Inputs.Select((value, input) => (value, (node, input))))
            .ToLookup(pair => pair.value, pair => pair.Item2);
        var shuffles = new ShuffleExports(
            needed.Nodes, value => readers[value].Count() + outputs.Count(output => output.Value == value));
        var images = new ExportImages(readers, shuffles);
        var graphDef = new GraphDef { Name = "FastNN" };
        var sources = new List<ExportPort>();
        foreach ((string name, Value value) in outputs)
        {
            Emit.Reserve(name);
        }

        foreach ((string name, Value value) in inputs)
        {
            var port = new ExportPort(Emit.Reserve(name), value)
            {
                IsFirst = !channelsLast && (origin?.InputsAreFirst[sources.Count] ?? images.Wants(value)),
            };
            sources.Add(port);
            Set(value, port.IsFirst
                ? ExportValue.OfFirst(this, value.TensorType, port.Name)
                : ExportValue.OfPlain(this, value.TensorType, port.Name));
            graphDef.Inputs.Add(Describe(port));
        }

        foreach ((Value value, byte[] bytes) in ConstantFolding.Evaluate(graph, needed.Folded))
        {
            string[] names = [.. ConstantFolding.Parameters(value).Select(_nameOf)];
            Set(value, ExportValue.OfConstant(this, value.TensorType, new ConstantSource(
                Emit, names.Length == 0 ? null : string.Join('+', names), value.TensorType, () => bytes)));
        }

        ExportRules.Require(graph.Nodes.Where(needed.Nodes.Contains));
        foreach (Node node in graph.Nodes)
        {
            if (needed.Nodes.Contains(node) && !shuffles.IsInner(node))
            {
                Write(node, shuffles);
            }
        }

        var targets = new List<ExportPort>();
        var results = new List<string>();
        foreach ((string name, Value value) in outputs)
        {
            ExportValue written = Of(value);
            bool isFirst = !channelsLast && (origin?.OutputsAreFirst[targets.Count] ?? written.IsFirst);
            targets.Add(new ExportPort(name, value) { IsFirst = isFirst });
            results.Add(isFirst ? written.First : written.Plain);
            graphDef.Outputs.Add(Describe(targets[^1]));
        }

        graphDef.Nodes.AddRange(OutputNames.Give(Emit.Nodes, [.. outputs.Select(output => output.Name)], results));
        var read = new HashSet<string>(graphDef.Nodes.SelectMany(node => node.Inputs), StringComparer.Ordinal);
        graphDef.Initializers.AddRange(Emit.Initializers.Where(tensor => read.Contains(tensor.Name)));
        return new Result(graphDef, sources, targets);
    }

    /// <summary>Whether something that the outputs need reads a value.</summary>
    public bool IsUsed(Value value) => _used.Contains(value);

    /// <summary>A value in the file.</summary>
    public ExportValue Of(Value value)
    {
        if (_values.TryGetValue(value, out ExportValue? known))
        {
            return known;
        }

        ConstantSource source = value.Kind switch
        {
            ValueKind.Parameter => new ConstantSource(
                Emit, _nameOf(value.Parameter!), value.TensorType, () => ConstantFolding.Read(value.Parameter!)),
            ValueKind.Constant => new ConstantSource(Emit, null, value.TensorType, () => value.Data!.Bytes.ToArray()),
            _ => throw new OnnxException($"ExportOnnx: the outputs need {value}, which the file cannot have as an input."),
        };
        return Set(value, ExportValue.OfConstant(this, value.TensorType, source));
    }

    /// <summary>One extent as a list of one integer.</summary>
    public string Extent(int extent)
    {
        if (!Dim.IsSymbol(extent))
        {
            return Emit.Longs(extent);
        }

        if (!_written.TryGetValue(extent, out string? name))
        {
            if (!_extents.TryGetValue(extent, out (ExportValue Value, int Axis) source))
            {
                throw new OnnxException(
                    $"ExportOnnx: the extent {Dim.Format(extent)} is none of an input's, so that the file cannot find it.");
            }

            long axis = source.Value.Inside(source.Axis);
            name = Emit.Add(
                "Shape", [source.Value.Either], Emitter.Attribute("start", axis), Emitter.Attribute("end", axis + 1));
            _written.Add(extent, name);
        }

        return name;
    }

    /// <summary>A shape as a list of integers.</summary>
    public string Extents(Shape shape) => shape.IsSymbolic
        ? Emit.Concat(0, [.. shape.ToArray().Select(Extent)])
        : Emit.Longs(Array.ConvertAll(shape.ToArray(), extent => (long)extent));

    /// <summary>The same elements under another shape.</summary>
    /// <param name="x">What the file calls the tensor.</param>
    /// <param name="from">Its shape in the file.</param>
    /// <param name="to">The new one.</param>
    public string Reshape(string x, Shape from, Shape to)
    {
        if (from == to)
        {
            return x;
        }

        // 0 keeps the extent of this place, -1 is what remains.
        var dims = new long[to.Rank];
        bool rest = false, fits = true;
        for (int axis = 0; axis < dims.Length; axis++)
        {
            if (!Dim.IsSymbol(to[axis]))
            {
                dims[axis] = to[axis];
                fits &= to[axis] != 0;
            }
            else if (axis < from.Rank && from[axis] == to[axis])
            {
                dims[axis] = 0;
            }
            else
            {
                dims[axis] = -1;
                fits &= !rest;
                rest = true;
            }
        }

        return fits ? Emit.Op("Reshape", x, Emit.Longs(dims))
            : Emit.Add("Reshape", [x, Extents(to)], Emitter.Attribute("allowzero", 1));
    }

    private ExportValue Set(Value value, ExportValue written)
    {
        _values[value] = written;
        for (int axis = 0; axis < value.Shape.Rank; axis++)
        {
            if (Dim.IsSymbol(value.Shape[axis]) && written.Constant is null && !written.IsFlat)
            {
                _extents.TryAdd(value.Shape[axis], (written, axis));
            }
        }

        return written;
    }

    private void Write(Node node, ShuffleExports shuffles)
    {
        ExportCall? call = shuffles.Write(this, node);
        if (call is null)
        {
            call = new ExportCall(this, node, Array.ConvertAll(node.Inputs, Of));
            ExportRules.Find(node.Op)!(call);
        }

        for (int i = 0; i < node.Outputs.Length; i++)
        {
            if (call.Outputs[i] is { } output)
            {
                Set(node.Outputs[i], output);
            }
            else if (IsUsed(node.Outputs[i]))
            {
                throw call.Refuse($"ONNX has no output {i} of it");
            }
        }
    }

    private static ValueDef Describe(ExportPort port)
    {
        Shape shape = port.IsFirst ? ExportValue.FirstShape(port.Value.Shape) : port.Value.Shape;
        return new ValueDef
        {
            Name = port.Name,
            Type = new TypeDef
            {
                Element = (OnnxElementType)port.Value.Type.Traits().Onnx,
                Shape = [.. shape.ToArray().Select(extent => Dim.IsSymbol(extent)
                    ? new DimensionDef(-1, NameOf(extent))
                    : new DimensionDef(extent, null))],
            },
        };
    }

    private static string NameOf(int symbol) => symbol == Dim.Batch ? "batch" : Dim.Format(symbol).Replace("?", "extent_",
        StringComparison.Ordinal);
}
