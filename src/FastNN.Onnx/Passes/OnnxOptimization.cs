using System.Globalization;
using FastNN.Formats;
using FastNN.Onnx.Model;
using FastNN.Onnx.Passes;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx;

/// <summary>A model behind the graph passes: what they did, and the model to be saved.</summary>
public sealed class OnnxOptimization
{
    // Protobuf has no messages of 2 GiB; what is not weights takes some of it.
    private const long MostBytes = 2_000_000_000;

    private readonly ModelDef _model;
    private readonly ExternalData? _external;

    internal OnnxOptimization(
        ModelDef model, ExternalData? external, IReadOnlyList<OnnxPassReport> passes, int before, string? obstacle)
    {
        (_model, _external) = (model, external);
        Passes = passes;
        NodesBefore = before;
        Obstacle = obstacle;
    }

    /// <summary>What each pass did, in the order in which they run; those that were left out are missing.</summary>
    public IReadOnlyList<OnnxPassReport> Passes { get; }

    /// <summary>How many nodes the main graph had.</summary>
    public int NodesBefore { get; }

    /// <summary>How many nodes the main graph has now.</summary>
    public int NodesAfter => _model.Graph!.Nodes.Count;

    /// <summary>The opset of the result: the model's, or the oldest that has all operators that were put in.</summary>
    public long Opset => _model.Opsets.GetValueOrDefault("", 1);

    /// <summary>Why operators of newer opsets could not be put in: what cannot be written in a newer opset; null where all
    /// could be.</summary>
    public string? Obstacle { get; }

    internal ModelDef Definition => _model;

    /// <summary>Runs the passes for a file: it has one opset, so older nodes must be written anew beside newer
    /// operators.</summary>
    internal static OnnxOptimization Of(ModelDef model, ExternalData? external, IReadOnlySet<string>? enabled, string file)
    {
        const long MostNew = 24;
        long opset = model.Opsets.GetValueOrDefault("", 1);
        var shapes = new PassShapes(new PassGraph(model, external, opset));
        string? obstacle = opset >= MostNew ? null
            : model.Functions.Count > 0 ? "functions that the model brings along"
            : new OpsetUpgrade(opset, MostNew, shapes.Rank).Obstacle(model.Graph!);
        (GraphDef graph, IReadOnlyList<OnnxPassReport> reports) =
            OnnxPasses.Run(model, external, enabled, obstacle is null ? Math.Max(opset, MostNew) : opset, file);
        long needed = Math.Max(opset, Newest(graph));
        if (needed > opset)
        {
            new OpsetUpgrade(opset, needed, shapes.Rank).Apply(graph);
        }

        return new OnnxOptimization(With(model, graph, needed), external, reports, model.Graph!.Nodes.Count, obstacle);
    }

    /// <summary>The newest opset that a pass made a node of, in the graph or in bodies; 0 for none.</summary>
    private static long Newest(GraphDef graph) => graph.Nodes.Select(node => Math.Max(
            node.Opset,
            node.Attributes.Values.Select(attribute => attribute.Graph is { } body ? Newest(body) : 0).DefaultIfEmpty().Max()))
        .DefaultIfEmpty().Max();

    /// <summary>Writes the model, with the elements of all its tensors in one file, which appears whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="OnnxException">The model has more bytes than one file can hold.</exception>
    public void Save(string path)
    {
        ReadOnlyMemory<byte> bytes = ToBytes();
        AtomicFile.Write(path, stream => stream.Write(bytes.Span));
    }

    /// <summary>The model as the bytes of a file.</summary>
    /// <exception cref="OnnxException">The model has more bytes than one file can hold.</exception>
    public ReadOnlyMemory<byte> ToBytes()
    {
        GraphDef graph = _model.Graph!;
        List<TensorDef> inside = graph.Initializers.ConvertAll(Inside);
        long bytes = inside.Sum(tensor => (tensor.Raw?.Length ?? 0) + tensor.Lists.Sum(list => list.Range.Length));
        if (bytes > MostBytes)
        {
            throw new OnnxException(string.Create(CultureInfo.InvariantCulture,
                $"OnnxOptimization: expected at most {MostBytes} bytes of weights for one file, got {bytes}."));
        }

        var copy = new GraphDef
        {
            Name = graph.Name.Length > 0 ? graph.Name : "graph",
            Nodes = graph.Nodes,
            Inputs = graph.Inputs,
            Outputs = graph.Outputs,
            Values = graph.Values,
            Initializers = inside,
            SparseInitializers = graph.SparseInitializers,
        };
        return ModelWriter.Write(With(_model, copy, Opset));
    }

    private TensorDef Inside(TensorDef tensor)
    {
        if (tensor.External is null || _external is null)
        {
            return tensor;
        }

        ByteRange range = _external.Find(tensor);
        var inside = new TensorDef { Name = tensor.Name, Type = tensor.Type, Content = range.Content, Raw = range };
        inside.Dims.AddRange(tensor.Dims);
        return inside;
    }

    private static ModelDef With(ModelDef model, GraphDef graph, long opset)
    {
        // The versions of the format that brought opsets 20 to 25.
        long version = opset switch
        {
            <= 19 => 8,
            20 => 9,
            21 or 22 => 10,
            _ => opset - 12,
        };
        var result = new ModelDef
        {
            IrVersion = opset > model.Opsets.GetValueOrDefault("", 1) ? Math.Max(model.IrVersion, version) : model.IrVersion,
            Producer = model.Producer,
            ProducerVersion = model.ProducerVersion,
            Domain = model.Domain,
            Version = model.Version,
            Documentation = model.Documentation,
            Graph = graph,
        };
        foreach ((string domain, long of) in model.Opsets)
        {
            result.Opsets[domain] = domain.Length == 0 ? Math.Max(of, opset) : of;
        }

        foreach ((string key, string value) in model.Metadata)
        {
            result.Metadata[key] = value;
        }

        result.Functions.AddRange(model.Functions);
        return result;
    }
}
