using FastNN.Onnx.Model;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Train;

/// <summary>
/// A model with its weights apart: initializers that training may change become inputs of the graph, so that what remains is
/// small and depends on no other file.
/// </summary>
internal static class TrainableFile
{
    // Inputs that say how, not what: they stay constants.
    private static readonly HashSet<(string Operator, int Input)> Settings =
    [
        ("Clip", 1), ("Clip", 2), ("Dropout", 1), ("Dropout", 2), ("Pad", 2), ("Resize", 1), ("Resize", 2), ("Resize", 3),
        ("Upsample", 1), ("OneHot", 2), ("Pow", 1), ("Range", 0), ("Range", 1), ("Range", 2),
    ];

    /// <summary>Takes the weights out of a model.</summary>
    /// <param name="extents">Numbers for symbols of its inputs.</param>
    /// <returns>The model without them, how many of its inputs are its own, and the weights in the order of the others.</returns>
    public static (byte[] File, int Inputs, List<(string Name, OnnxTensor Value)> Weights) Split(
        ModelDef model, ExternalData? external, IReadOnlyDictionary<string, int> extents)
    {
        GraphDef graph = model.Graph!;
        ILookup<string, (string Operator, int Input)> readers = graph.Nodes
            .SelectMany(node => node.Inputs.Select((name, input) => (name, (node.Operator, input))))
            .ToLookup(pair => pair.name, pair => pair.Item2, StringComparer.Ordinal);
        var inner = new HashSet<string>(graph.Nodes.SelectMany(Captured), StringComparer.Ordinal);
        var weights = new List<(string Name, OnnxTensor Value)>();
        var rest = new List<TensorDef>();
        foreach (TensorDef tensor in graph.Initializers)
        {
            OnnxTensor value = TensorDecoder.Decode(tensor, external);
            bool isWeight = tensor.Type == OnnxElementType.Float32 && tensor.Dims.Count > 0 && value.Count > 0
                && !inner.Contains(tensor.Name) && readers[tensor.Name].Any()
                && !readers[tensor.Name].Any(Settings.Contains);
            if (isWeight)
            {
                weights.Add((tensor.Name, value));
            }
            else
            {
                rest.Add(tensor.External is null ? tensor : Inside(tensor, value));
            }
        }

        var known = new HashSet<string>(graph.Initializers.Select(tensor => tensor.Name), StringComparer.Ordinal);
        List<ValueDef> inputs =
            [.. graph.Inputs.Where(input => !known.Contains(input.Name)).Select(input => Settled(input, extents))];
        var small = new ModelDef
        {
            IrVersion = model.IrVersion,
            Graph = new GraphDef
            {
                Name = graph.Name,
                Nodes = graph.Nodes,
                Inputs = [.. inputs, .. weights.Select(weight => Describe(weight.Name, weight.Value))],
                Outputs = graph.Outputs,
                Initializers = rest,
                SparseInitializers = graph.SparseInitializers,
            },
        };
        foreach ((string domain, long version) in model.Opsets)
        {
            small.Opsets.Add(domain, version);
        }

        small.Functions.AddRange(model.Functions);
        return (ModelWriter.Write(small).ToArray(), inputs.Count, weights);
    }

    private static ValueDef Settled(ValueDef input, IReadOnlyDictionary<string, int> extents) =>
        input.Type is not { Shape: { } shape } type ? input : new ValueDef
        {
            Name = input.Name,
            Type = new TypeDef
            {
                Element = type.Element,
                Shape = [.. shape.Select((dimension, axis) =>
                    axis > 0 && dimension.Symbol is { } symbol && extents.TryGetValue(symbol, out int extent)
                        ? new DimensionDef(extent, null)
                        : dimension)],
            },
        };

    private static ValueDef Describe(string name, OnnxTensor value) => new()
    {
        Name = name,
        Type = new TypeDef
        {
            Element = OnnxElementType.Float32,
            Shape = [.. value.Dims.Select(extent => new DimensionDef(extent, null))],
        },
    };

    /// <summary>Names that graphs within a node may take from around it.</summary>
    private static IEnumerable<string> Captured(NodeDef node) => node.Attributes.Values
        .SelectMany(attribute => attribute.Graph is { } graph ? [graph] : attribute.Graphs.ToArray())
        .SelectMany(graph => graph.Nodes).SelectMany(inner => inner.Inputs.Concat(Captured(inner)));

    private static TensorDef Inside(TensorDef tensor, OnnxTensor value)
    {
        Content content = Content.OfMemory(value.Bytes().ToArray(), tensor.Name);
        var inside = new TensorDef
        {
            Name = tensor.Name,
            Type = tensor.Type,
            Content = content,
            Raw = new ByteRange(content, 0, content.Length),
        };
        inside.Dims.AddRange(tensor.Dims);
        return inside;
    }
}
