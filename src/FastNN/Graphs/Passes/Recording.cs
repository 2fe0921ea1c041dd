using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>The nodes of a graph while passes rewrite them: in an order in which each can be computed.</summary>
/// <param name="nodes">In recording order.</param>
/// <param name="outputs">Values that must stay readable.</param>
/// <param name="root">What a backward pass starts from, or null where none follows.</param>
internal sealed class Recording(IEnumerable<Node> nodes, IEnumerable<Value> outputs, Value? root)
{
    private readonly HashSet<Value> _outputs = [.. outputs];

    public List<Node> Nodes { get; } = [.. nodes];

    public Value? Root { get; } = root;

    public bool IsOutput(Value value) => _outputs.Contains(value);

    /// <summary>
    /// Replaces a consumer and the producer of one of its inputs by one node in the consumer's place, where nothing else reads
    /// what lay between, and nothing in between reads what the producer reads or its other outputs: gradients are then added in
    /// the order in which they were.
    /// </summary>
    /// <param name="rule">
    /// The operator that does both, whose inputs are the producer's and then the consumer's others, its outputs the consumer's
    /// and then the producer's others. Null where there is none.
    /// </param>
    /// <param name="input">Which of the consumer's inputs.</param>
    /// <returns>Whether anything was replaced.</returns>
    public bool FusePairs(Func<Node, Node, Operator?> rule, int input = 0)
    {
        var producers = new Dictionary<Value, int>();
        var uses = new Dictionary<Value, int>();
        foreach (Value read in Nodes.SelectMany(node => node.Inputs))
        {
            uses[read] = uses.GetValueOrDefault(read) + 1;
        }

        var dropped = new HashSet<Node>();
        for (int i = 0; i < Nodes.Count; i++)
        {
            Node node = Nodes[i];
            if (node.Inputs.Length > input && producers.TryGetValue(node.Inputs[input], out int at)
                && Nodes[at] is var producer && producer.Output == node.Inputs[input]
                && uses[producer.Output] == 1 && !IsOutput(producer.Output) && rule(producer, node) is { } op
                && MayMove(producer, at, i))
            {
                dropped.Add(producer);
                Nodes[i] = node = new Node(
                    op, [.. producer.Inputs, .. node.Inputs[..input], .. node.Inputs[(input + 1)..]],
                    [.. node.Outputs, .. producer.Outputs[1..]])
                {
                    Call = node.Call,
                };
            }

            foreach (Value output in node.Outputs)
            {
                producers[output] = i;
            }
        }

        return Nodes.RemoveAll(dropped.Contains) > 0;
    }

    /// <summary>Whether a node may be computed at a later place.</summary>
    private bool MayMove(Node node, int from, int to)
    {
        for (int i = from + 1; i < to; i++)
        {
            if (Array.Exists(Nodes[i].Inputs, read => node.Inputs.Contains(read) || node.Outputs.Contains(read)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Lets every node read other values in place of some.</summary>
    public void Substitute(IReadOnlyDictionary<Value, Value> replacements)
    {
        for (int i = 0; i < Nodes.Count; i++)
        {
            Node node = Nodes[i];
            if (Array.Exists(node.Inputs, replacements.ContainsKey))
            {
                Nodes[i] = new Node(
                    node.Op, Array.ConvertAll(node.Inputs, input => replacements.GetValueOrDefault(input, input)), node.Outputs)
                {
                    Call = node.Call,
                };
            }
        }
    }
}
