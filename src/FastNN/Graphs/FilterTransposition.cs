using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>
/// Where several convolutions of a plan would each transpose its filter, all filters are transposed at once, in front of
/// everything, and all their gradients behind everything: two launches in place of two or three for each convolution. It takes
/// memory for the transposed filters and for their gradients. Filters that are constants, as those of ONNX files, are transposed
/// while the plan is made, and no run launches anything for them. Every bit is kept. Which convolutions these are is a question
/// of the device and of sizes, so no pass can do it, but what runs once nodes have their types.
/// </summary>
internal static class FilterTransposition
{
    // By the constant itself, so that plans for several shapes have one on the device.
    private static readonly ConditionalWeakTable<ConstantData, ConstantData> Turned = [];

    /// <summary>Rewrites what is bound.</summary>
    /// <param name="planning">The device's answers.</param>
    /// <param name="graph">Where values belong.</param>
    /// <param name="nodes">All nodes; receives those that transpose as its first.</param>
    /// <param name="bound">Their operators and types, likewise.</param>
    /// <param name="types">Receives the transposed filters' types.</param>
    /// <param name="training">Whether a backward pass follows.</param>
    /// <param name="isTrained">
    /// Which parameters get gradients; they are apart, so that no gradient is computed for others.
    /// </param>
    public static void Insert(
        IPlanning planning, Graph graph, List<Node> nodes, List<(Operator Op, NodeTypes Types)> bound,
        Dictionary<Value, TensorType> types, bool training, Func<Parameter, bool> isTrained)
    {
        ReadOnlySpan<ConvolutionPass> passes =
            [ConvolutionPass.Forward, ConvolutionPass.BackwardData, ConvolutionPass.BackwardFilter];
        passes = training ? passes : passes[..1];
        if (!training)
        {
            TurnConstants(planning, graph, nodes, bound, types);
        }

        var found = new List<int>();
        for (int i = 0; i < nodes.Count; i++)
        {
            if (bound[i] is (ConvolutionOp, var its) && nodes[i].Inputs[1].Kind == ValueKind.Parameter
                && ((ConvolutionGeometry)its.Bound!).WantsTransposedFilter(planning, passes))
            {
                found.Add(i);
            }
        }

        // One alone has its gradient's transposition and its bias's sums in one launch.
        if (found.Count < 2)
        {
            return;
        }

        var transposed = new Dictionary<Value, Value>();
        var added = new List<(Node Node, NodeTypes Types)>();
        foreach (IGrouping<bool, Value> filters in found.Select(i => nodes[i].Inputs[1]).Distinct()
            .GroupBy(filter => training && isTrained(filter.Parameter!)))
        {
            Value[] inputs = [.. filters];
            var op = new TransposeFiltersOp();
            var its = NodeTypes.Of(op, Array.ConvertAll(inputs, input => input.TensorType));
            var node = new Node(op, inputs, []);
            node.Outputs = Array.ConvertAll(
                its.Outputs, type => new Value(graph, type, ValueKind.Intermediate, "a transposed filter") { Producer = node });
            for (int i = 0; i < inputs.Length; i++)
            {
                transposed.Add(inputs[i], node.Outputs[i]);
                types.Add(node.Outputs[i], its.Outputs[i]);
                types[inputs[i]] = its.Inputs[i];
            }

            added.Add((node, its));
        }

        foreach (int i in found)
        {
            Take(transposed[nodes[i].Inputs[1]], i, nodes, bound, types);
        }

        nodes.InsertRange(0, added.Select(pair => pair.Node));
        bound.InsertRange(0, added.Select(pair => ((Operator)pair.Node.Op, pair.Types)));
    }

    /// <summary>Gives convolutions whose filter is a constant the transposed one.</summary>
    private static void TurnConstants(
        IPlanning planning, Graph graph, List<Node> nodes, List<(Operator Op, NodeTypes Types)> bound,
        Dictionary<Value, TensorType> types)
    {
        var turned = new Dictionary<Value, Value>();
        for (int i = 0; i < nodes.Count; i++)
        {
            if (bound[i] is not (ConvolutionOp { HasTransposedFilter: false }, var its)
                || nodes[i].Inputs[1] is not { Kind: ValueKind.Constant, Data: { } data } filter
                || !((ConvolutionGeometry)its.Bound!).WantsTransposedFilter(planning, ConvolutionPass.Forward))
            {
                continue;
            }

            if (!turned.TryGetValue(filter, out Value? value))
            {
                int outputs = filter.Shape[-1];
                var type = new TensorType(new Shape([outputs, .. filter.Shape.ToArray()[..^1]]));
                value = new Value(graph, type, ValueKind.Constant, "a transposed filter")
                {
                    Data = Turned.GetValue(data, filter => Transposed(filter.Bytes, outputs)),
                };
                turned.Add(filter, value);
                types.Add(value, type);
            }

            Take(value, i, nodes, bound, types);
        }
    }

    private static ConstantBytes Transposed(ReadOnlySpan<byte> filter, int outputs)
    {
        ReadOnlySpan<float> from = MemoryMarshal.Cast<byte, float>(filter);
        var bytes = new byte[filter.Length];
        Span<float> to = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        int taps = from.Length / outputs;
        for (int i = 0; i < from.Length; i++)
        {
            to[((i % outputs) * taps) + (i / outputs)] = from[i];
        }

        return new ConstantBytes(bytes);
    }

    /// <summary>Puts the transposed filter in the place of a convolution's own.</summary>
    private static void Take(
        Value filter, int i, List<Node> nodes, List<(Operator Op, NodeTypes Types)> bound, Dictionary<Value, TensorType> types)
    {
        nodes[i] = new Node(
            ((ConvolutionOp)nodes[i].Op) with { HasTransposedFilter = true },
            [nodes[i].Inputs[0], filter, .. nodes[i].Inputs[2..]], nodes[i].Outputs);
        var op = ((ConvolutionOp)bound[i].Op) with { HasTransposedFilter = true };
        TensorType[] inputs = [bound[i].Types.Inputs[0], types[filter], .. bound[i].Types.Inputs[2..]];
        bound[i] = (op, NodeTypes.Of(op, inputs));
    }
}
