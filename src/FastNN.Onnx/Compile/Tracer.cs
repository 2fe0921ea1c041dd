using FastNN.Graphs;
using FastNN.Onnx.Host;
using FastNN.Onnx.Model;
using FastNN.Onnx.Train;

namespace FastNN.Onnx.Compile;

/// <summary>
/// Records an ONNX graph into the engine's for certain input shapes. What follows from constants and shapes alone is computed on
/// the host on the way, so that shape arithmetic, branches on constants and folded weights never reach the engine.
/// </summary>
internal sealed class Tracer(HostGraph source, ExternalData? external, ConstantPool? constants = null)
{
    // A loop of more trips is left to the host: every trip is nodes of its own in the recording.
    private const int MaxTrips = 1024;

    /// <summary>Nodes that the engine does not have in this form; the first one ends the recording.</summary>
    public HostNode? Missing { get; private set; }

    /// <summary>The node being recorded, or the last one, for messages.</summary>
    public HostNode? Current { get; private set; }

    /// <summary>The rules of a network to be trained; null for those of a session.</summary>
    public TrainRules? Training { get; init; }

    /// <summary>The engine's graph, and what the outputs are: traced, or constant.</summary>
    public sealed record Recording(Graph Graph, Traced[] Inputs, object?[] Outputs);

    /// <summary>Records the graph; null where a node is missing in the engine.</summary>
    /// <param name="types">The type and shape of every input.</param>
    /// <param name="known">Inputs whose values are taken as constants; null for the others.</param>
    public Recording? Record(IReadOnlyList<(OnnxElementType Type, int[] Dims)> types, IReadOnlyList<OnnxTensor?> known)
    {
        var graph = new Graph(GraphMode.Inference) { Constants = constants };
        var arguments = new object?[types.Count];
        var inputs = new List<Traced>();
        for (int i = 0; i < types.Count; i++)
        {
            if (known[i] is { } constant)
            {
                arguments[i] = constant;
                continue;
            }

            // Without elements its shape is all there is to know, such as that of keys and values before the first token.
            if (types[i].Type != OnnxElementType.Undefined && Array.IndexOf(types[i].Dims, 0) >= 0)
            {
                arguments[i] = OnnxTensor.Zeros(types[i].Type, types[i].Dims);
                continue;
            }

            if (Held(types[i].Type) is not { } inside || types[i].Dims.Length > Shape.MaxRank)
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

    /// <summary>Records the graph into one that is there; null where a node is missing in the engine.</summary>
    /// <param name="graph">The engine's graph.</param>
    /// <param name="arguments">A traced value or a constant for every input.</param>
    public object?[]? Record(Graph graph, object?[] arguments) => Trace(graph, source, arguments, null);

    /// <summary>How the engine holds a type that it computes with or moves; null where it does neither.</summary>
    public static DType? Held(OnnxElementType type) => type switch
    {
        OnnxElementType.Float16 or OnnxElementType.BFloat16 => DType.Float32,
        OnnxElementType.UInt8 or OnnxElementType.Int8 or OnnxElementType.UInt16 or OnnxElementType.Int16 => DType.Int32,
        _ => Inside(type),
    };

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
            Current = node;
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

    /// <summary>Records a node; null where the engine does not have it in this form.</summary>
    /// <param name="graph">The engine's graph.</param>
    /// <param name="node">The node.</param>
    /// <param name="inputs">A traced value or a constant for every input.</param>
    /// <param name="slots">The values of the graph around, which bodies read.</param>
    public object?[]? Trace(Graph graph, HostNode node, object?[] inputs, object?[] slots)
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

        if (node.Function is { } function)
        {
            return Trace(graph, function, [.. Enumerable.Range(0, function.Inputs.Length)
                .Select(i => i < inputs.Length ? inputs[i] : null)], null);
        }

        if (node.Definition.Operator is "Loop" && node.Definition.Domain.Length == 0)
        {
            return Unrolled(graph, node, inputs, slots);
        }

        if (node.Bodies.Count > 0 || node.Definition.Domain.Length > 0)
        {
            return null;
        }

        if (node.Definition.Operator is "Shape" or "Size" && inputs[0] is Traced { } shaped)
        {
            // Of a tensor that is not known yet the extents are.
            var stand = new OnnxTensor(OnnxElementType.Bool, shaped.Dims, Array.Empty<bool>());
            if (node.Definition.Operator == "Size")
            {
                return [OnnxTensor.Create([shaped.Dims.Aggregate(1L, (product, extent) => product * extent)])];
            }

            OnnxValue?[] shape = Layout.Shape(new HostCall(node, [stand], frame));
            return Training?.Multiples(shape) ?? shape;
        }

        bool opens = Training is not null && TrainRules.Opens(node, constants);
        if (!Array.Exists(inputs, input => input is Traced) && !opens && !IsRandom(node))
        {
            if (Training is not null)
            {
                TrainRules.RequireNumbers(node, constants);
            }

            return Narrowing.Call(node, constants, frame);
        }

        if (Training is not null)
        {
            TrainRules.RequireSymbols(node, constants);
        }

        string name = node.Definition.Operator;
        var call = new TraceCall(new HostCall(node, constants, frame), inputs, graph);
        if (name == "Slice" && !(Training is not null && TrainShapes.IsOpen(call)) && ShapeRules.EmptySlice(call) is { } empty)
        {
            return [empty];
        }

        TraceRule? rule = Training is null ? TraceRules.Find(name) : Training.Find(name);
        return rule?.Invoke(call);
    }

    /// <summary>A loop whose trips are known while recording, one behind the other.</summary>
    private object?[]? Unrolled(Graph graph, HostNode node, object?[] inputs, object?[] slots)
    {
        if (inputs[0] is Traced || (inputs.Length > 1 && inputs[1] is Traced)
            || !node.Bodies.TryGetValue("body", out HostGraph? body))
        {
            return null;
        }

        long trips = inputs[0] is OnnxTensor { Data: long[] { Length: 1 } count } ? count[0] : long.MaxValue;
        bool go = inputs.Length < 2 || inputs[1] is not OnnxTensor { Data: bool[] { Length: 1 } first } || first[0];
        object?[] state = inputs[Math.Min(2, inputs.Length)..];
        if (body.Inputs.Length != state.Length + 2 || body.Outputs.Length < state.Length + 1)
        {
            return null;
        }

        var scanned = new List<object?[]>();
        for (long trip = 0; trip < trips && go; trip++)
        {
            object?[] arguments = [OnnxTensor.Create([trip]), OnnxTensor.Create([go]), .. state];
            if (trip == MaxTrips || Trace(graph, body, arguments, slots) is not { } results
                || results[0] is not OnnxTensor { Data: bool[] { Length: 1 } next })
            {
                return null;
            }

            go = next[0];
            state = results[1..(1 + state.Length)];
            scanned.Add(results[(1 + state.Length)..]);
        }

        var stacked = new object?[body.Outputs.Length - 1 - state.Length];
        for (int i = 0; i < stacked.Length; i++)
        {
            stacked[i] = Stacked(node, graph, [.. scanned.Select(outputs => outputs[i])]);
            if (stacked[i] is null)
            {
                return null;
            }
        }

        return [.. state, .. stacked];
    }

    private object? Stacked(HostNode node, Graph graph, object?[] parts)
    {
        var call = new TraceCall(new HostCall(node, new OnnxValue?[parts.Length], new HostFrame(external, 0)), parts, graph);
        if (parts.Length == 0)
        {
            return null;
        }

        if (!Array.Exists(parts, part => part is Traced))
        {
            return ControlFlow.Stack(call.Host, [.. parts.Cast<OnnxTensor>()], 0);
        }

        var rows = new Traced[parts.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            if (call.Input(i) is not { } part || part.Rank == Shape.MaxRank || (i > 0 && part.Type != rows[0].Type))
            {
                return null;
            }

            rows[i] = part;
        }

        int[] dims = [1, .. rows[0].Dims];
        Value joined = Operators.Concat(0, Array.ConvertAll(rows, row => row.Plain.Reshape(new Shape([1, .. row.Dims]))));
        dims[0] = rows.Length;
        return Traced.OfPlain(joined, rows[0].Type, dims);
    }

    /// <summary>Whether a node draws numbers.</summary>
    public static bool IsRandom(HostNode node) =>
        node.Definition.Operator is "Bernoulli" or "Multinomial"
            || node.Definition.Operator.StartsWith("Random", StringComparison.Ordinal);
}
