using FastNN.Onnx.Host;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Compile;

/// <summary>
/// Records an ONNX graph into the engine's for certain input shapes. What follows from constants and shapes alone is computed on
/// the host on the way, so that shape arithmetic, branches on constants and folded weights never reach the engine.
/// </summary>
internal sealed class Tracer(HostGraph source, ExternalData? external)
{
    /// <summary>Nodes that the engine does not have in this form; the first one ends the recording.</summary>
    public HostNode? Missing { get; private set; }

    /// <summary>The engine's graph, and what the outputs are: traced, or constant.</summary>
    public sealed record Recording(Graph Graph, Traced[] Inputs, object?[] Outputs);

    /// <summary>Records the graph; null where a node is missing in the engine.</summary>
    /// <param name="types">The type and shape of every input.</param>
    /// <param name="known">Inputs whose values are taken as constants; null for the others.</param>
    public Recording? Record(IReadOnlyList<(OnnxElementType Type, int[] Dims)> types, IReadOnlyList<OnnxTensor?> known)
    {
        var graph = new Graph(GraphMode.Inference);
        var arguments = new object?[types.Count];
        var inputs = new List<Traced>();
        for (int i = 0; i < types.Count; i++)
        {
            if (known[i] is { } constant)
            {
                arguments[i] = constant;
                continue;
            }

            if (Inside(types[i].Type) is not { } inside || types[i].Dims.Length > Shape.MaxRank
                || Array.IndexOf(types[i].Dims, 0) >= 0)
            {
                return null;
            }

            Value value = graph.Input(new Shape(types[i].Dims), inside, $"input{i}");
            var traced = Traced.OfPlain(value, types[i].Type, types[i].Dims);
            inputs.Add(traced);
            arguments[i] = traced;
        }

        object?[]? outputs = Trace(graph, source, arguments, null);
        return outputs is null ? null : new Recording(graph, [.. inputs], outputs);
    }

    /// <summary>How the engine holds a type; null where it does not compute with it.</summary>
    public static DType? Inside(OnnxElementType type) => type switch
    {
        OnnxElementType.Float32 => DType.Float32,
        OnnxElementType.Int32 or OnnxElementType.Int64 => DType.Int32,
        OnnxElementType.Bool => DType.Bool,
        _ => null,
    };

    private object?[]? Trace(Graph graph, HostGraph body, object?[] arguments, object?[]? outer)
    {
        var slots = new object?[body.SlotCount];
        foreach ((int slot, OnnxTensor value) in body.Constants)
        {
            slots[slot] = value;
        }

        foreach ((int from, int to) in body.Captures)
        {
            slots[to] = outer![from];
        }

        for (int i = 0; i < body.Inputs.Length; i++)
        {
            slots[body.Inputs[i]] = arguments[i] ?? slots[body.Inputs[i]];
        }

        foreach (HostNode node in body.Nodes)
        {
            object?[] inputs = Array.ConvertAll(node.Inputs, slot => slot < 0 ? null : slots[slot]);
            object?[]? outputs = Trace(graph, node, inputs, slots);
            if (outputs is null)
            {
                Missing ??= node;
                return null;
            }

            for (int i = 0; i < node.Outputs.Length && i < outputs.Length; i++)
            {
                if (node.Outputs[i] >= 0)
                {
                    slots[node.Outputs[i]] = outputs[i];
                }
            }
        }

        return Array.ConvertAll(body.Outputs, slot => slots[slot]);
    }

    private object?[]? Trace(Graph graph, HostNode node, object?[] inputs, object?[] slots)
    {
        var frame = new HostFrame(external, 0);
        OnnxValue?[] constants = Array.ConvertAll(inputs, input => input as OnnxValue);
        if (node.Definition.Operator is "If" && node.Definition.Domain.Length == 0)
        {
            return constants[0] is OnnxTensor { Data: bool[] { Length: 1 } condition }
                && node.Bodies.TryGetValue(condition[0] ? "then_branch" : "else_branch", out HostGraph? branch)
                ? Trace(graph, branch, [], slots)
                : null;
        }

        if (node.Bodies.Count > 0 || node.Definition.Domain.Length > 0)
        {
            return null;
        }

        if (node.Definition.Operator is "Shape" or "Size" && inputs[0] is Traced { } shaped)
        {
            // Of a tensor that is not known yet the extents are.
            var stand = new OnnxTensor(OnnxElementType.Bool, shaped.Dims, Array.Empty<bool>());
            return node.Definition.Operator == "Shape"
                ? Layout.Shape(new HostCall(node, [stand], frame))
                : [OnnxTensor.Create([shaped.Dims.Aggregate(1L, (product, extent) => product * extent)])];
        }

        if (!Array.Exists(inputs, input => input is Traced) && !IsRandom(node))
        {
            return Narrowing.Call(node, constants, frame);
        }

        return TraceRules.Find(node.Definition.Operator) is { } rule
            ? rule(new TraceCall(new HostCall(node, constants, frame), inputs, graph))
            : null;
    }

    private static bool IsRandom(HostNode node) =>
        node.Definition.Operator is "Bernoulli" or "Multinomial"
            || node.Definition.Operator.StartsWith("Random", StringComparison.Ordinal);
}
