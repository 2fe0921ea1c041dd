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
    /// Replaces a consumer and the producer of its input 0 by one node, where nothing else reads what lay between.
    /// </summary>
    /// <param name="rule">The operator that does both, whose inputs are the producer's and then the consumer's others; null where
    /// there is none.</param>
    /// <returns>Whether anything was replaced.</returns>
    public bool FusePairs(Func<Node, Node, Operator?> rule)
    {
        var producers = new Dictionary<Value, Node>();
        var uses = new Dictionary<Value, int>();
        foreach (Value input in Nodes.SelectMany(node => node.Inputs))
        {
            uses[input] = uses.GetValueOrDefault(input) + 1;
        }

        var dropped = new HashSet<Node>();
        for (int i = 0; i < Nodes.Count; i++)
        {
            Node node = Nodes[i];
            if (node.Inputs.Length > 0 && producers.TryGetValue(node.Inputs[0], out Node? producer)
                && producer.Outputs.Length == 1
                && uses[producer.Output] == 1 && !IsOutput(producer.Output) && rule(producer, node) is { } op)
            {
                dropped.Add(producer);
                Nodes[i] = node = new Node(op, [.. producer.Inputs, .. node.Inputs[1..]], node.Outputs);
            }

            foreach (Value output in node.Outputs)
            {
                producers[output] = node;
            }
        }

        return Nodes.RemoveAll(dropped.Contains) > 0;
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
                    node.Op, Array.ConvertAll(node.Inputs, input => replacements.GetValueOrDefault(input, input)), node.Outputs);
            }
        }
    }
}
