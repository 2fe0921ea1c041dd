using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>
/// An attention between transpositions that bring the heads in front of the positions, and back, reads and writes rows of heads
/// as
/// they lie: three copies in front of it and one behind are spared. In inference only.
/// </summary>
internal sealed class HeadsLastAttention : IPass
{
    private static readonly Shape Exchange = new(0, 2, 1, 3);

    public string Name => "attention of heads as they lie";

    public bool KeepsBits => true;

    public bool Run(Recording recording)
    {
        if (recording.Root is not null || !recording.Nodes.Exists(node => node.Op is ScaledDotProductOp))
        {
            return false;
        }

        var producers = new Dictionary<Value, Node>();
        ILookup<Value, Node> readers = recording.Nodes.SelectMany(node => node.Inputs.Select(input => (input, node)))
            .ToLookup(pair => pair.input, pair => pair.node);
        bool changed = false;
        for (int i = 0; i < recording.Nodes.Count; i++)
        {
            Node node = recording.Nodes[i];
            foreach (Value output in node.Outputs)
            {
                producers[output] = node;
            }

            if (node.Op is not ScaledDotProductOp { Layout: AttentionLayout.HeadsFirst } attention
                || recording.IsOutput(node.Output) || readers[node.Output].ToArray() is not [{ } back] || !IsExchange(back)
                || !node.Inputs[..3].All(input => producers.TryGetValue(input, out Node? from) && IsExchange(from)))
            {
                continue;
            }

            recording.Nodes.Remove(back);
            recording.Nodes[i] = new Node(
                attention with { Layout = AttentionLayout.HeadsLast },
                [.. node.Inputs[..3].Select(input => producers[input].Inputs[0]), .. node.Inputs[3..]], back.Outputs);
            producers[back.Output] = recording.Nodes[i];
            changed = true;
        }

        return changed;
    }

    private static bool IsExchange(Node node) => node.Op is PermuteOp { Order: var order } && order == Exchange;
}
