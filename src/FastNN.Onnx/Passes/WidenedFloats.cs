using FastNN.Onnx.Host;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Makes a model that computes in float16 or bfloat16 one that computes in float32 and rounds its outputs alone, as processors
/// without narrow arithmetic do it; inputs and outputs keep their types. The results are closer to those of the float32 model
/// that it came from.
/// </summary>
internal static class WidenedFloats
{
    // Their attributes name a type.
    private static readonly string[] TypeAttributes = ["to", "dtype", "output_dtype", "stash_type"];

    /// <summary>The model in float32; the same model where it has no narrow floats, or nodes that are about their bits.</summary>
    public static ModelDef Of(ModelDef model, ExternalData? external)
    {
        GraphDef graph = model.Graph!;
        return Has(graph) && !DependsOnWidth(graph) && model.Functions.Count == 0 ? Widened(model, external) : model;
    }

    private static bool Has(GraphDef graph) => graph.Inputs.Exists(input => IsNarrow(input.Type?.Element))
        || graph.Initializers.Exists(initializer => IsNarrow(initializer.Type))
        || graph.Nodes.Exists(node => node.Attributes.Values.Any(attribute => (attribute.Tensor is { } tensor
        && IsNarrow(tensor.Type))
            || NamesNarrow(attribute) || (attribute.Graph is { } body && Has(body))));

    private static bool DependsOnWidth(GraphDef graph) => graph.SparseInitializers.Count > 0
        || graph.Nodes.Exists(node => node.Operator is "BitCast" || node.Domain.Length > 0
            || (node.Operator == "Cast" && PassGraph.Int(node, "to", 0) == (long)OnnxElementType.String)
            || node.Attributes.Values.Any(attribute => attribute.Graph is { } body && DependsOnWidth(body)));

    private static bool IsNarrow(OnnxElementType? type) => type is OnnxElementType.Float16 or OnnxElementType.BFloat16;

    private static bool NamesNarrow(AttributeDef attribute) => attribute.Kind == AttributeKind.Int
        && TypeAttributes.Contains(attribute.Name) && IsNarrow((OnnxElementType)attribute.Int);

    private static ModelDef Widened(ModelDef model, ExternalData? external)
    {
        GraphDef graph = model.Graph!;
        var inputs = graph.Inputs.Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        var wide = new Dictionary<string, string>(StringComparer.Ordinal);
        var casts = new List<NodeDef>();
        foreach (ValueDef input in graph.Inputs.Where(input => IsNarrow(input.Type?.Element)))
        {
            wide.Add(input.Name, $"{input.Name}::float");
            casts.Add(Cast(input.Name, $"{input.Name}::float", OnnxElementType.Float32));
        }

        var last = new List<NodeDef>();
        foreach (ValueDef output in graph.Outputs.Where(output => IsNarrow(output.Type?.Element)))
        {
            // An input handed through is narrow already, but an output has a node of its own.
            string source = inputs.Contains(output.Name) ? wide[output.Name] : $"{output.Name}::float";
            if (!inputs.Contains(output.Name) && wide.TryAdd(output.Name, source))
            {
                last.Add(Cast(source, output.Name, output.Type!.Element));
            }
        }

        var result = new ModelDef
        {
            IrVersion = model.IrVersion,
            Graph = new GraphDef
            {
                Name = graph.Name,
                Nodes = [.. casts, .. graph.Nodes.Select(node => Widened(node, wide, external)), .. last],
                Inputs = graph.Inputs,
                Outputs = graph.Outputs,
                Initializers = [.. graph.Initializers.Select(initializer => inputs.Contains(initializer.Name)
                    ? initializer
                    : Widened(initializer, wide.GetValueOrDefault(initializer.Name, initializer.Name), external))],
            },
        };
        foreach ((string domain, long version) in model.Opsets)
        {
            result.Opsets.Add(domain, version);
        }

        return result;
    }

    private static NodeDef Cast(string from, string to, OnnxElementType type) => new()
    {
        Operator = "Cast",
        Inputs = [from],
        Outputs = [to],
        Attributes = { ["to"] = InitializerDef.Int("to", (long)type) },
    };

    private static TensorDef Widened(TensorDef tensor, string name, ExternalData? external) => IsNarrow(tensor.Type)
        ? InitializerDef.Of(name, Numbers.Convert(TensorDecoder.Decode(tensor, external), OnnxElementType.Float32))
        : tensor;

    private static NodeDef Widened(NodeDef node, Dictionary<string, string> wide, ExternalData? external) =>
        InitializerDef.Renamed(node, wide, attribute => Widened(attribute, wide, external));

    private static AttributeDef Widened(AttributeDef attribute, Dictionary<string, string> wide, ExternalData? external) =>
        attribute switch
        {
            { Graph: { } body } => InitializerDef.Body(attribute.Name, Widened(body, wide, external)),
            { Tensor: { } tensor } when IsNarrow(tensor.Type) => new AttributeDef
            {
                Name = attribute.Name,
                Kind = AttributeKind.Tensor,
                Tensor = Widened(tensor, tensor.Name, external),
            },
            _ when NamesNarrow(attribute) => InitializerDef.Int(attribute.Name, (long)OnnxElementType.Float32),
            _ => attribute,
        };

    private static GraphDef Widened(GraphDef body, Dictionary<string, string> wide, ExternalData? external)
    {
        HashSet<string> free = NodeOrder.Free(body);
        var visible = wide.Where(name => free.Contains(name.Key)).ToDictionary(StringComparer.Ordinal);
        ValueDef Value(ValueDef value) => new()
        {
            Name = visible.GetValueOrDefault(value.Name, value.Name),
            Type = value.Type is { } type && IsNarrow(type.Element)
                ? new TypeDef { Element = OnnxElementType.Float32, Shape = type.Shape }
                : value.Type,
        };

        return new GraphDef
        {
            Name = body.Name,
            Nodes = body.Nodes.ConvertAll(node => Widened(node, visible, external)),
            Inputs = body.Inputs.ConvertAll(Value),
            Outputs = body.Outputs.ConvertAll(Value),
            Initializers = body.Initializers.ConvertAll(initializer => Widened(initializer, initializer.Name, external)),
        };
    }
}
