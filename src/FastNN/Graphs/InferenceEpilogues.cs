using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// In inference any function of one number behind a product or a convolution becomes its epilogue, as far as the device can apply
/// it to sums that are still near, and so does a max pooling behind a convolution. Every bit is kept. Which functions and windows
/// these are is a device's own matter, so no pass can do it; those that every device has in its kernels a pass has joined before
/// (<see cref="Passes.ActivationIntoEpilogue"/>).
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
            if (bound[i].Op is ActivationOp { Activation: var activation } && planning.AppliesBehindProducts(activation)
                && producers.TryGetValue(nodes[i].Inputs[0], out int at) && uses[nodes[i].Inputs[0]] == 1
                && !outputs.Contains(nodes[i].Inputs[0]) && bound[at].Op is DenseOp or ConvolutionOp
                && bound[at].Op is IActivationEpilogue { Activation.IsNone: true } host)
            {
                Operator op = host.WithActivation(activation);
                bound[i] = (op, NodeTypes.Of(op, Array.ConvertAll(nodes[at].Inputs, value => types[value])));
                nodes[i] = new Node(op, nodes[at].Inputs, nodes[i].Outputs);
                dropped.Add(at);
            }
            else if (bound[i] is (MaxPool2DOp pooling, { Bound: Pool2DGeometry windows })
                && producers.TryGetValue(nodes[i].Inputs[0], out int from) && uses[nodes[i].Inputs[0]] == 1
                && !outputs.Contains(nodes[i].Inputs[0])
                && bound[from] is (ConvolutionOp { HasResidual: false, HasTransposedFilter: false } convolution, var its)
                && ((ConvolutionGeometry)its.Bound!).Single is { } geometry && planning.PoolsBehindConvolution(geometry, windows))
            {
                var op = new ConvolutionMaxPoolOp(convolution, pooling);
                bound[i] = (op, NodeTypes.Of(op, Array.ConvertAll(nodes[from].Inputs, value => types[value])));
                nodes[i] = new Node(op, nodes[from].Inputs, nodes[i].Outputs);
                dropped.Add(from);
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
}
