using FastNN.Onnx.Host;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Computes what follows from constants, and shapes whose numbers are known, once and for all. What would make a file much larger
/// stays: constants of many elements from few, and weights in integers.
/// </summary>
internal sealed class ConstantFolding : IOnnxPass
{
    private const long MostGrown = 1 << 16;

    // Random numbers are drawn in every run; the others make much of little.
    private static readonly HashSet<string> Excluded = new(StringComparer.Ordinal)
    {
        "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "DequantizeLinear",
    };

    private static readonly HashSet<string> Growing = new(StringComparer.Ordinal) { "ConstantOfShape", "Expand", "Tile",
        "Range" };

    public string Name => "constant-folding";

    public string Does => "computes what follows from constants and known shapes";

    public void Run(PassGraph graph, PassNotes notes)
    {
        var work = new Queue<NodeDef>(graph.Nodes);
        while (work.TryDequeue(out NodeDef? node))
        {
            if (!graph.IsLive(node) || !graph.IsPlain(node) || Excluded.Contains(node.Operator) || node.Outputs.Count == 0
                || node.Outputs.Exists(output => output.Length > 0 && graph.IsOutput(output)))
            {
                continue;
            }

            if (Known(graph, node) is not { } values || values.Length > node.Outputs.Count)
            {
                continue;
            }

            NodeDef[] readers = [.. node.Outputs.SelectMany(graph.Consumers).Distinct()];
            notes.Add(node);
            graph.RemoveWithInputs(node);
            for (int i = 0; i < values.Length; i++)
            {
                if (node.Outputs[i].Length > 0)
                {
                    graph.AddConstant(node.Outputs[i], (OnnxTensor)values[i]!);
                }
            }

            foreach (NodeDef reader in readers)
            {
                work.Enqueue(reader);
            }
        }
    }

    private static OnnxValue?[]? Known(PassGraph graph, NodeDef node)
    {
        if (node.Operator == "Constant")
        {
            return graph.Constant(node.Outputs[0]) is { } constant && InitializerDef.CanHold(constant) ? [constant] : null;
        }

        OnnxValue?[]? values = null;
        if (node.Inputs.TrueForAll(input => input.Length == 0 || graph.IsConstant(input)))
        {
            values = Computed(graph, node);
        }
        else if (node.Outputs.Count == 1 && graph.Shapes.Integers(node.Outputs[0]) is { } integers
            && Array.TrueForAll(integers, integer => integer.Symbol is null)
            && graph.Shapes.Type(node.Outputs[0]) == OnnxElementType.Int64 && graph.Shapes.Rank(node.Outputs[0]) is { } rank
            && (rank == 1 || integers.Length == 1))
        {
            values = [new OnnxTensor(OnnxElementType.Int64, rank == 0 ? [] : [integers.Length],
                Array.ConvertAll(integers, integer => integer.Value))];
        }

        return values is not null && values.All(value => value is OnnxTensor tensor && InitializerDef.CanHold(tensor))
            ? values
            : null;
    }

    private static OnnxValue?[]? Computed(PassGraph graph, NodeDef node)
    {
        if (Growing.Contains(node.Operator) && Elements(graph, node) is not <= MostGrown)
        {
            return null;
        }

        OnnxValue?[] inputs = [.. node.Inputs.Select(input => input.Length == 0 ? null : graph.Constant(input))];
        if (inputs.Where((input, i) => input is null && node.Inputs[i].Length > 0).Any())
        {
            return null;
        }

        OnnxValue?[]? outputs = graph.Evaluate(node, inputs);
        long before = inputs.Sum(input => input is OnnxTensor tensor ? tensor.Bytes().Length : 0L);
        long after = outputs?.Sum(output => output is OnnxTensor tensor ? SizeOf(tensor) : 0L) ?? 0;
        return after <= Math.Max(MostGrown * 4, before) ? outputs : null;
    }

    private static long SizeOf(OnnxTensor tensor) =>
        tensor.ElementType == OnnxElementType.String ? long.MaxValue / 64 : tensor.Bytes().Length;

    private static long? Elements(PassGraph graph, NodeDef node) => node.Operator == "Range"
        ? graph.Constant(node.Inputs[0]) is { Count: 1 } start && graph.Constant(node.Inputs[1]) is { Count: 1 } stop
            ? (long)Math.Abs(First(stop) - First(start))
            : null
        : graph.Shapes.Dims(node.Outputs[0]) is { } dims && Array.TrueForAll(dims, extent => extent.IsKnown)
            ? dims.Aggregate(1L, (product, extent) => Math.Min(MostGrown + 1, product) * extent.Value)
            : null;

    private static double First(OnnxTensor tensor) =>
        ((double[])Numbers.Convert(tensor, OnnxElementType.Float64).Data)[0];
}
