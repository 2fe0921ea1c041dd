using System.Buffers;
using System.Globalization;
using FastNN.Onnx.Host;
using FastNN.Onnx.Model;
using FastNN.Onnx.Passes;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx;

/// <summary>
/// An ONNX file (IR versions 1 to 13, opsets 1 to 27), opened: what goes in and out, what it was made by, and which of its
/// operators are not supported. The file stays mapped until the model is disposed; weights are read when they are needed.
/// </summary>
public sealed class OnnxModel : IDisposable
{
    private readonly Content _content;
    private readonly ExternalData? _external;
    private readonly ModelDef _definition;
    private readonly Lazy<HostGraph> _graph;
    private readonly Lazy<ModelDef> _widened;

    private OnnxModel(Content content, ExternalData? external)
    {
        _content = content;
        _external = external;
        _definition = ModelReader.Read(content);
        GraphDef graph = _definition.Graph!;
        var initialized = new HashSet<string>(graph.Initializers.Select(initializer => initializer.Name), StringComparer.Ordinal);
        Inputs = [.. graph.Inputs.Select(input => new OnnxValueInfo(input, initialized.Contains(input.Name)))];
        Outputs = [.. graph.Outputs.Select(output => new OnnxValueInfo(output, false))];
        var unsupported = new List<(NodeDef Node, long Opset)>();
        new HostGraphBuilder(_definition, content, external) { Unsupported = unsupported }.Build(graph);
        Unsupported = [.. unsupported.Select(entry =>
            new OnnxNodeInfo(HostGraphBuilder.OperatorName(entry.Node), entry.Opset, entry.Node.Name))];
        _widened = new Lazy<ModelDef>(() => WidenedFloats.Of(_definition, external));
        _graph = new Lazy<HostGraph>(() => new HostGraphBuilder(_definition, content, external).Build(graph));
    }

    /// <summary>The file's path, or what the caller named its bytes.</summary>
    public string Name => _content.Name;

    /// <summary>The version of the file format.</summary>
    public long IrVersion => _definition.IrVersion;

    /// <summary>The version of each domain's operators; the standard's own domain is the empty name.</summary>
    public IReadOnlyDictionary<string, long> Opsets => _definition.Opsets;

    /// <summary>What wrote the file, with its version.</summary>
    public string Producer => $"{_definition.Producer} {_definition.ProducerVersion}".Trim();

    /// <summary>The metadata_props of the file.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _definition.Metadata;

    /// <summary>What goes in, in order.</summary>
    public IReadOnlyList<OnnxValueInfo> Inputs { get; }

    /// <summary>What comes out, in order.</summary>
    public IReadOnlyList<OnnxValueInfo> Outputs { get; }

    /// <summary>Nodes whose operator is not supported; empty where the model can run.</summary>
    public IReadOnlyList<OnnxNodeInfo> Unsupported { get; }

    /// <summary>How many nodes the graph has, those of its branches and loops left out.</summary>
    public int NodeCount => _definition.Graph!.Nodes.Count;

    /// <summary>How many numbers the initializers of the graph hold.</summary>
    public long ParameterCount => _definition.Graph!.Initializers
        .Sum(tensor => tensor.Dims.Aggregate(1L, (product, extent) => product * extent));

    internal ModelDef Definition => _definition;

    /// <summary>Opens a file, which is mapped; tensors in files beside it are read from the same folder.</summary>
    /// <param name="path">The file; a regular one, which nobody cuts short while the model is open.</param>
    /// <exception cref="FileFormatException">The file is not an ONNX model; the message has the byte offset.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    public static OnnxModel Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Open(Content.OfFile(path), new ExternalData(path));
    }

    /// <summary>Opens a model in memory. It has no tensors outside.</summary>
    /// <param name="bytes">The file's bytes, not to be changed while the model is open.</param>
    /// <param name="name">What messages call them.</param>
    /// <exception cref="FileFormatException">The bytes are not an ONNX model; the message has the offset.</exception>
    public static OnnxModel Load(ReadOnlyMemory<byte> bytes, string name = "model") => Open(Content.OfMemory(bytes, name), null);

    /// <summary>Reads a model from a stream, to its end. It has no tensors outside.</summary>
    /// <param name="stream">The stream, which stays open.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="FileFormatException">The stream is not an ONNX model, or has more than 2 GiB.</exception>
    public static OnnxModel Load(Stream stream, string name = "stream")
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Open(Content.OfStream(stream, name), null);
    }

    /// <summary>Opens a model in memory whose tensors outside lie beside a file.</summary>
    /// <param name="bytes">The file's bytes, which the model owns from now on.</param>
    /// <param name="name">What messages call them.</param>
    /// <param name="path">Where the file was; tensors outside are read from its folder when they are needed.</param>
    internal static OnnxModel Load(IMemoryOwner<byte> bytes, string name, string path) =>
        Open(Content.OfMemory(bytes, name), new ExternalData(path));

    private static OnnxModel Open(Content content, ExternalData? external)
    {
        try
        {
            return new OnnxModel(content, external);
        }
        catch
        {
            external?.Dispose();
            content.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Computes the outputs node by node, in managed code, in the types that the standard asks for. It is exact and complete
    /// rather than fast, and the same for any number of callers at once.
    /// </summary>
    /// <param name="inputs">A value for every input that has no default, by name.</param>
    /// <returns>The outputs in order; null for an output that holds no value.</returns>
    /// <exception cref="OnnxException">An input is missing, unknown or of another type or shape, or an operator does not take
    /// what
    /// it is given.</exception>
    public IReadOnlyList<OnnxValue?> Evaluate(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        Check(inputs);
        OnnxValue?[] outputs = _graph.Value.Run(
            [.. Inputs.Select(input => inputs.GetValueOrDefault(input.Name))], null, _external);
        Array.ForEach(outputs, output => output?.ReadAll());
        return outputs;
    }

    /// <summary>A session that runs the model on a device. The model stays open as long as the session.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">Default: 16 sets of shapes, all graph passes.</param>
    /// <exception cref="OnnxException">The model has operators that are not supported.</exception>
    public OnnxSession Compile(Device device, OnnxSessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        RequireSupported();
        options ??= new OnnxSessionOptions();
        return new OnnxSession(this, SessionGraph(options.Passes), _external, device, options);
    }

    /// <summary>Runs the graph passes, for a look at what they do and for a file with the result.</summary>
    /// <param name="passes">Which, by names of <see cref="OnnxPasses.Names"/>; null for all.</param>
    /// <returns>What they did, and the model behind them; to be used while this model is open.</returns>
    /// <exception cref="ArgumentException">There is no pass of that name.</exception>
    /// <exception cref="OnnxException">The model has operators that are not supported.</exception>
    public OnnxOptimization Optimize(IReadOnlySet<string>? passes = null)
    {
        OnnxPasses.Require(passes ?? (IEnumerable<string>)[]);
        RequireSupported();
        return OnnxOptimization.Of(_definition, _external, passes, Name);
    }

    /// <summary>
    /// The graph of a session: the file's where no pass runs, or where the passes wait for the extents of a recording, otherwise
    /// that behind the passes.
    /// </summary>
    private HostGraph SessionGraph(IReadOnlySet<string>? passes) =>
        passes is { Count: 0 } || HasOpenInputs ? _graph.Value : Optimized(_widened.Value, passes, null);

    /// <summary>
    /// The graph behind the passes for inputs of certain extents, and certain values of some: what the file calculates of them is
    /// known then. Null where the file leaves none open, so that <see cref="Compile"/>'s graph is that.
    /// </summary>
    internal HostGraph? Optimized(IReadOnlySet<string>? passes, int[]?[] extents, OnnxTensor?[] known)
    {
        Dictionary<string, OnnxTensor> values = Enumerable.Range(0, known.Length).Where(i => known[i] is not null)
            .ToDictionary(i => Inputs[i].Name, i => known[i]!, StringComparer.Ordinal);
        return passes is { Count: 0 } || (!HasOpenInputs && values.Count == 0)
            ? null
            : Optimized(_widened.Value.WithInputExtents(extents), passes, values);
    }

    private bool HasOpenInputs => _definition.Graph!.Inputs.Exists(
        input => input.Type?.Shape is not { } shape || shape.Exists(dimension => !dimension.IsKnown));

    /// <summary>The graph behind the passes, whose new nodes are of the opset that has them.</summary>
    private HostGraph Optimized(
        ModelDef definition, IReadOnlySet<string>? passes, IReadOnlyDictionary<string, OnnxTensor>? known)
    {
        (GraphDef graph, _) = OnnxPasses.Run(definition, _external, passes, long.MaxValue, Name, known);
        return new HostGraphBuilder(_definition, _content, _external).Build(graph);
    }

    /// <summary>
    /// Lets <c>Model.Load</c> read models that came from ONNX files, in a program that has not made one
    /// itself: <see cref="ToModel"/> does the same. A second time does nothing.
    /// </summary>
    public static void RegisterLayers() => OnnxImport.Register();

    /// <summary>
    /// The network as a model of the library: its float initializers are parameters of the file's names, so it trains, freezes,
    /// saves and is written again (<see cref="OnnxExport"/>). In training batch normalization takes the batch's statistics and
    /// dropout drops, as in PyTorch. The file need not stay open.
    /// </summary>
    /// <param name="options">Default: channels last.</param>
    /// <exception cref="OnnxException">The model has operators that are not supported, or cannot be trained in their
    /// form.</exception>
    public FastNN.Model ToModel(OnnxImportOptions? options = null)
    {
        RequireSupported();
        return OnnxImport.Import(_definition, _external, options ?? new OnnxImportOptions());
    }

    private void RequireSupported()
    {
        if (Unsupported.Count > 0)
        {
            throw new OnnxException($"'{Formats.Quote.Text(Name)}': not supported: {string.Join("; ", Unsupported.Take(10))}"
                + (Unsupported.Count > 10
                    ? string.Create(CultureInfo.InvariantCulture, $" and {Unsupported.Count - 10} more.")
                    : "."));
        }
    }

    /// <summary>Holds inputs against the model's.</summary>
    internal void Check(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        RequireSupported();
        string? unknown = inputs.Keys.FirstOrDefault(name => !Inputs.Any(input => input.Name == name));
        bool fits = unknown is null && Inputs.All(input =>
            inputs.TryGetValue(input.Name, out OnnxValue? value) ? input.Accepts(value) : input.HasDefault || input.IsOptional);
        if (!fits)
        {
            throw new OnnxException($"'{Formats.Quote.Text(Name)}': expected inputs {string.Join(", ", Inputs)}; "
                + $"got {string.Join(", ", inputs.Select(input => $"{input.Key}: {input.Value}"))}.");
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _external?.Dispose();
        _content.Dispose();
    }
}

/// <summary>A node whose operator is not supported.</summary>
/// <param name="Operator">The operator's name, with its domain where that is not the standard's own.</param>
/// <param name="Opset">The opset that the node is written in.</param>
/// <param name="Node">The node's name; empty where it has none.</param>
public sealed record OnnxNodeInfo(string Operator, long Opset, string Node)
{
    /// <summary>As in <c>Gradient (opset 1, node 'g')</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Operator} (opset {Opset}, node '{Formats.Quote.Text(Node)}')");
}

/// <summary>An input or output of a model.</summary>
public sealed record OnnxValueInfo
{
    private readonly TypeDef? _type;

    internal OnnxValueInfo(ValueDef value, bool hasDefault)
    {
        _type = value.Type;
        Name = value.Name;
        HasDefault = hasDefault;
        Dimensions = _type?.Shape?.ConvertAll(dimension => dimension.ToString());
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>A tensor's element type; undefined where it is no tensor, or the file does not say.</summary>
    public OnnxElementType ElementType => _type?.Element ?? OnnxElementType.Undefined;

    /// <summary>A tensor's extents: numbers, symbols such as <c>batch</c>, or <c>?</c>; null where the rank is not
    /// known.</summary>
    public IReadOnlyList<string>? Dimensions { get; }

    /// <summary>Whether an initializer of its name is used where no value is given.</summary>
    public bool HasDefault { get; }

    internal bool IsOptional => _type?.OptionalOf is not null;

    /// <summary>As in <c>x: FLOAT[batch, 3, 224, 224]</c>.</summary>
    public override string ToString() => $"{Name}: {Describe(_type)}";

    private static string Describe(TypeDef? type) => type switch
    {
        null => "any value",
        { SequenceOf: { } element } => $"sequence of {Describe(element)}",
        { OptionalOf: { } element } => $"optional {Describe(element)}",
        { MapOf: { } element } => $"map from {type.MapKey.Name()} to {Describe(element)}",
        { Other: { } other } => other,
        { Shape: { } shape } => $"{type.Element.Name()}[{string.Join(", ", shape)}]",
        _ => type.Element.Name(),
    };

    internal bool Accepts(OnnxValue value) => _type is null || Accepts(_type, value);

    private static bool Accepts(TypeDef type, OnnxValue value) => value switch
    {
        OnnxSequence => type.SequenceOf is not null || type.OptionalOf is { SequenceOf: not null },
        OnnxMap map => type.MapOf is { } element && type.MapKey == map.Keys.ElementType
            && element.Element == map.Values.ElementType,
        OnnxOptional optional => type.OptionalOf is not null
            && (optional.Value is null || Accepts(type.OptionalOf, optional.Value)),
        OnnxTensor tensor when type.OptionalOf is not null => Accepts(type.OptionalOf, tensor),
        OnnxTensor tensor => type.Element == tensor.ElementType && (type.Shape is null || (type.Shape.Count == tensor.Rank
            && type.Shape.Zip(tensor.Dims).All(pair => !pair.First.IsKnown || pair.First.Value == pair.Second))),
        _ => false,
    };
}
