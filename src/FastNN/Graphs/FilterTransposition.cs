using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// Where several convolutions of a plan would each transpose its filter, all filters are transposed at once, in front of
/// everything, and all their gradients behind everything: two launches in place of two or three for each convolution. It takes
/// memory for the transposed filters and for their gradients. Every bit is kept. Which convolutions these are is a question of
/// the device and of sizes, so no pass can do it, but what runs once nodes have their types.
/// </summary>
internal static class FilterTransposition
{
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
            Value filter = transposed[nodes[i].Inputs[1]];
            nodes[i] = new Node(
                ((ConvolutionOp)nodes[i].Op) with { HasTransposedFilter = true },
                [nodes[i].Inputs[0], filter, .. nodes[i].Inputs[2..]], nodes[i].Outputs);
            var op = ((ConvolutionOp)bound[i].Op) with { HasTransposedFilter = true };
            TensorType[] inputs = [bound[i].Types.Inputs[0], types[filter], .. bound[i].Types.Inputs[2..]];
            bound[i] = (op, NodeTypes.Of(op, inputs));
        }

        nodes.InsertRange(0, added.Select(pair => pair.Node));
        bound.InsertRange(0, added.Select(pair => ((Operator)pair.Node.Op, pair.Types)));
    }
}
