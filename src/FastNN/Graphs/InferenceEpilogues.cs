using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// In inference any function of one number behind a product or a convolution becomes its epilogue, as far as the device can apply
/// it to sums that are still near, and so do a max pooling and a depthwise convolution behind a convolution. Every bit is kept.
/// Which functions and windows these are is a device's own matter, so no pass can do it; those that every device has in its
/// kernels a pass has joined before (<see cref="Passes.ActivationIntoEpilogue"/>).
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
            int at = Before(i);
            Operator? op = at < 0 ? null : Joined(planning, bound[at], bound[i], nodes[at].Inputs.Length);
            if (op is not null)
            {
                Value[] inputs = [.. nodes[at].Inputs, .. nodes[i].Inputs[1..]];
                bound[i] = (op, NodeTypes.Of(op, Array.ConvertAll(inputs, value => types[value])));
                nodes[i] = new Node(op, inputs, nodes[i].Outputs);
                dropped.Add(at);
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

        // The node whose result this one takes first, if no other reads it.
        int Before(int node) =>
            nodes[node].Inputs is [var first, ..] && uses[first] == 1 && !outputs.Contains(first)
                ? producers.GetValueOrDefault(first, -1)
                : -1;
    }

    /// <summary>
    /// Both in one; null where the device has no such operator. Its inputs are those of the two, the value between left out.
    /// </summary>
    private static Operator? Joined(
        IPlanning planning, (Operator Op, NodeTypes Types) first, (Operator Op, NodeTypes Types) second, int inputs)
    {
        if (second.Op is ActivationOp { Activation: var activation })
        {
            return planning.AppliesBehindProducts(activation)
                && first.Op is DenseOp or ConvolutionOp or ConvolutionDepthwiseOp
                && first.Op is IActivationEpilogue { Activation.IsNone: true } host
                    ? host.WithActivation(activation)
                    : null;
        }

        if (first.Op is not ConvolutionOp { HasResidual: false, HasTransposedFilter: false } convolution
            || ((ConvolutionGeometry)first.Types.Bound!).Single is not { } geometry)
        {
            return null;
        }

        return second switch
        {
            (MaxPool2DOp pooling, { Bound: Pool2DGeometry windows }) when planning.PoolsBehindConvolution(geometry, windows) =>
                new ConvolutionMaxPoolOp(convolution, pooling),
            (ConvolutionOp { HasResidual: false, HasTransposedFilter: false } depthwise, { Bound: ConvolutionGeometry filter })
                when filter.Single is { IsDepthwise: true } taps && planning.FiltersBehindProduct(geometry, taps) =>
                new ConvolutionDepthwiseOp(convolution, inputs > 2, depthwise),
            _ => null,
        };
    }
}
