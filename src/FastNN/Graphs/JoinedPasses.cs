using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// Joins what a device would do in passes of their own behind its large products, where it says so: a bias and the function that
/// follows; an addition, the bias or the look-up of what is added, and the normalization that follows. Each element goes through
/// the same operations in the same order; sums over rows, for the biases' gradients, go in another. Which nodes these are is a
/// question of the device and of sizes, so no pass can do it, but what runs once nodes have their types.
/// </summary>
/// <param name="planning">The device's answers.</param>
/// <param name="graph">Where values belong.</param>
/// <param name="nodes">All nodes; rewritten.</param>
/// <param name="bound">Their operators and types, likewise.</param>
/// <param name="types">Receives those of new values.</param>
/// <param name="outputs">Values that must stay readable.</param>
internal sealed class JoinedPasses(
    IPlanning planning, Graph graph, List<Node> nodes, List<(Operator Op, NodeTypes Types)> bound,
    Dictionary<Value, TensorType> types, HashSet<Value> outputs)
{
    private readonly Dictionary<Value, int> _producers = [];
    private readonly Dictionary<Value, int> _uses = [];
    private readonly HashSet<int> _dropped = [];

    public void Run()
    {
        for (int i = 0; i < nodes.Count; i++)
        {
            foreach (Value output in nodes[i].Outputs)
            {
                _producers[output] = i;
            }

            foreach (Value input in nodes[i].Inputs)
            {
                _uses[input] = _uses.GetValueOrDefault(input) + 1;
            }
        }

        for (int i = 0; i < nodes.Count; i++)
        {
            switch (bound[i].Op)
            {
                case ActivationOp activation:
                    JoinActivation(i, activation);
                    break;
                case RowNormOp { Trailing: 1 } norm:
                    JoinAddition(i, norm);
                    break;
            }
        }

        foreach (int i in _dropped.OrderDescending())
        {
            nodes.RemoveAt(i);
            bound.RemoveAt(i);
        }
    }

    /// <summary>A function behind a product and its bias.</summary>
    private void JoinActivation(int at, ActivationOp op)
    {
        Node node = nodes[at];
        if (BiasActivationOp.Takes(op.Activation) && TakeBias(node.Inputs[0], node.Output.Segment) is { } bias)
        {
            Value[] inputs = [node.Inputs[0], bias];
            Replace(at, new BiasActivationOp(op.Activation), inputs, [NewValue(node.Inputs[0]), node.Output]);
        }
    }

    /// <summary>An addition in front of a normalization that is the first to read it.</summary>
    private void JoinAddition(int at, RowNormOp norm)
    {
        Node node = nodes[at];
        Value sum = node.Inputs[0];
        if (node.Inputs.Length != (norm.IsCentered ? 3 : 2) || !_producers.TryGetValue(sum, out int from)
            || bound[from] is not (BinaryOp { IsSum: true }, var its) || !planning.AddsInNormalization(its.Outputs[0].Shape[-1])
            || sum.Segment != node.Output.Segment || IsReadBetween(sum, from, at))
        {
            return;
        }

        // The product whose bias is free to move, else whatever nothing else reads.
        Value[] operands = nodes[from].Inputs;
        int product = IsProduct(operands[1]) ? 1 : 0;
        product = IsAddend(operands[product], operands[1 - product], its) ? product : 1 - product;
        if (!IsAddend(operands[product], operands[1 - product], its))
        {
            return;
        }

        Value added = operands[product];
        Value[] others = [.. node.Inputs[1..], operands[1 - product]];
        if (others.Distinct().Count() < others.Length)
        {
            return;
        }

        (AddedTerm term, int padding, Value[] terms) = (AddedTerm.Plain, -1, [added]);
        int producer = _producers[added];
        if (bound[producer].Op is EmbeddingOp table && added.Segment == sum.Segment
            && !others.Contains(nodes[producer].Inputs[1]))
        {
            (term, padding, terms) = (AddedTerm.LookedUp, table.Padding, [nodes[producer].Inputs[1], nodes[producer].Inputs[0]]);
            _dropped.Add(producer);
        }
        else if (TakeBias(added, sum.Segment, others) is { } bias)
        {
            (term, terms) = (AddedTerm.Biased, [added, bias]);
        }

        Replace(
            at, new ResidualNormOp(norm.Eps, norm.IsCentered, term, padding), [.. terms, .. others], [sum, node.Output]);
        _dropped.Add(from);
    }

    /// <summary>
    /// Takes the bias from a product that is finished in a pass of its own, if this is one that nothing else reads.
    /// </summary>
    private Value? TakeBias(Value product, int segment, params ReadOnlySpan<Value> others)
    {
        if (!IsProduct(product) || product.Segment != segment || others.Contains(nodes[_producers[product]].Inputs[2]))
        {
            return null;
        }

        int at = _producers[product];
        (Shape x, Shape weight) = (bound[at].Types.Inputs[0].Shape, bound[at].Types.Inputs[1].Shape);
        if (x.Count == 0 || weight.Count == 0 || !planning.FinishesProductApart(x.Count / weight[0], weight[0], weight[1]))
        {
            return null;
        }

        Node node = nodes[at];
        Value bias = node.Inputs[2];
        Replace(at, bound[at].Op, node.Inputs[..2], node.Outputs);
        return bias;
    }

    /// <summary>Whether a value is a product with a bias and nothing behind it, and has one reader.</summary>
    private bool IsProduct(Value value) =>
        IsReadOnce(value) && bound[_producers[value]].Op is DenseOp { Activation.IsNone: true }
        && nodes[_producers[value]].Inputs.Length == 3;

    /// <summary>Whether a value has the sum's shape and one reader, and the other's rows repeat in it or are as many.</summary>
    private bool IsAddend(Value value, Value other, NodeTypes its)
    {
        (Shape sum, Shape repeated) = (its.Outputs[0].Shape, types[other].Shape);
        return IsReadOnce(value) && value != other && types[value].Shape == sum && repeated.Rank is > 0 && sum.Count > 0
            && repeated.Rank <= sum.Rank && repeated == sum[^repeated.Rank..];
    }

    private bool IsReadOnce(Value value) =>
        _producers.ContainsKey(value) && _uses[value] == 1 && !outputs.Contains(value);

    private bool IsReadBetween(Value value, int from, int to)
    {
        for (int i = from + 1; i < to; i++)
        {
            if (Array.IndexOf(nodes[i].Inputs, value) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    private void Replace(int at, Operator op, Value[] inputs, Value[] results)
    {
        var its = NodeTypes.Of(op, Array.ConvertAll(inputs, input => types[input]));
        nodes[at] = new Node(op, inputs, results);
        bound[at] = (op, its);
        for (int i = 0; i < results.Length; i++)
        {
            types[results[i]] = its.Outputs[i];
            _producers[results[i]] = at;
        }
    }

    private Value NewValue(Value like) =>
        new(graph, types[like], ValueKind.Intermediate, "a sum with its bias") { Segment = like.Segment };
}
