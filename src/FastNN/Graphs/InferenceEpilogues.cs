using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// In inference, what follows a product or a convolution becomes its epilogue as far as the device can apply it to sums that are
/// still near: the addition of a vector along the last axis becomes its bias, and any function of one number its activation. Bits
/// change where a bias moves: sums then start from it. Which functions a device can apply is its own matter, so no pass can do
/// it.
/// </summary>
internal static class InferenceEpilogues
{
    /// <summary>Rewrites what is bound.</summary>
    /// <param name="planning">The device's answers.</param>
    /// <param name="nodes">All nodes; rewritten.</param>
    /// <param name="bound">Their operators and types, likewise.</param>
    /// <param name="types">The types of all values.</param>
    /// <param name="outputs">Values that must stay readable.</param>
    public static void Join(
        IPlanning planning, List<Node> nodes, List<(Operator Op, NodeTypes Types)> bound,
        Dictionary<Value, TensorType> types, HashSet<Value> outputs)
    {
        var producers = new Dictionary<Value, int>();
        var uses = new Dictionary<Value, int>();
        foreach (Value input in nodes.SelectMany(node => node.Inputs))
        {
            uses[input] = uses.GetValueOrDefault(input) + 1;
        }

        var dropped = new HashSet<int>();
        for (int i = 0; i < nodes.Count; i++)
        {
            for (int input = 0; input < Math.Min(2, nodes[i].Inputs.Length); input++)
            {
                Value sums = nodes[i].Inputs[input];
                if (producers.TryGetValue(sums, out int at) && uses[sums] == 1 && !outputs.Contains(sums)
                    && Joined(planning, nodes[at], bound[at], nodes[i], bound[i].Op, input, types) is var (op, inputs))
                {
                    var its = NodeTypes.Of(op, Array.ConvertAll(inputs, value => types[value]));
                    nodes[i] = new Node(op, inputs, nodes[i].Outputs);
                    bound[i] = (op, its);
                    dropped.Add(at);
                    break;
                }
            }

            foreach (Value output in nodes[i].Outputs)
            {
                producers[output] = i;
            }
        }

        foreach (int i in dropped.OrderDescending())
        {
            nodes.RemoveAt(i);
            bound.RemoveAt(i);
        }
    }

    private static (Operator Op, Value[] Inputs)? Joined(
        IPlanning planning, Node product, (Operator Op, NodeTypes Types) its, Node node, Operator op, int input,
        Dictionary<Value, TensorType> types)
    {
        if (its.Op is not (DenseOp or ConvolutionOp) || its.Op is not IActivationEpilogue { Activation.IsNone: true } host)
        {
            return null;
        }

        if (op is ActivationOp { Activation: var activation } && planning.AppliesBehindProducts(activation))
        {
            return (host.WithActivation(activation), product.Inputs);
        }

        if (op is BinaryOp { IsSum: true } && node.Inputs.Length == 2 && product.Inputs.Length == 2)
        {
            // Only what is there from the beginning: an addend that is computed may come later than the product.
            Value addend = node.Inputs[1 - input];
            return addend.Kind is ValueKind.Constant or ValueKind.Parameter
                && types[addend].Shape == new Shape(its.Types.Outputs[0].Shape[-1])
                ? (its.Op, [.. product.Inputs, addend])
                : null;
        }

        return null;
    }
}
