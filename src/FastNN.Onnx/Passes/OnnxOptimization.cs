using FastNN.Onnx.Model;
using FastNN.Onnx.Passes;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx;

/// <summary>A model behind the graph passes: what they did, and the model to be saved.</summary>
public sealed class OnnxOptimization
{
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

    /// <summary>
    /// Writes the model, with the elements of all its tensors, as one file; where one cannot hold them, they go to a second one
    /// beside it, with ".data" behind its name. Files appear whole or not at all.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="OnnxException">The model has more bytes beside its weights than a file can hold.</exception>
    public void Save(string path) => Save(path, externalData: false);

    /// <summary>Writes the model, with the elements of all its tensors. Files appear whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="externalData">Whether the elements go to a second file in any case, as of <see cref="Save(string)"/>.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="OnnxException">The model has more bytes beside its weights than a file can hold.</exception>
    public void Save(string path, bool externalData) => Save(path, externalData, ModelStorage.MostBytes);

    internal void Save(string path, bool externalData, long limit)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ModelStorage.Save(WithElements(), path, externalData, limit, nameof(OnnxOptimization));
    }

    /// <summary>The model as the bytes of a file.</summary>
    /// <exception cref="OnnxException">The model has more bytes than one file can hold.</exception>
    public ReadOnlyMemory<byte> ToBytes() => ModelStorage.ToBytes(WithElements(), nameof(OnnxOptimization));

    private ModelDef WithElements() => _model.With(_model.Graph!.With(_model.Graph!.Initializers.ConvertAll(Inside)));

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
        long old = model.Opsets.GetValueOrDefault("", 1);
        ModelDef result = model.With(graph);
        if (opset > old)
        {
            result.IrVersion = Math.Max(model.IrVersion, version);
        }

        if (model.Opsets.ContainsKey(""))
        {
            result.Opsets[""] = Math.Max(old, opset);
        }

        return result;
    }
}
