namespace FastNN.Onnx.Export;

/// <summary>
/// What outputs need of a graph: its nodes, and the values that are weights of a node and follow from parameters alone, such as
/// normalized weights, which are computed before the file is written.
/// </summary>
internal sealed class NeededNodes
{
    private readonly Dictionary<Value, bool> _fixed = [];

    public NeededNodes(IReadOnlyList<Value> outputs)
    {
        foreach (Node node in outputs[0].Graph.Nodes)
        {
            bool isFixed = node.Inputs.All(IsFixed) && node.Op.IsDeterministic
                && !Array.Exists(node.Outputs, output => output.Shape.IsSymbolic);
            foreach (Value output in node.Outputs)
            {
                _fixed[output] = isFixed;
            }
        }

        var open = new Stack<Value>(outputs);
        while (open.TryPop(out Value? value))
        {
            if (!Used.Add(value) || value.Producer is not { } node || Folded.Contains(value) || !Nodes.Add(node))
            {
                continue;
            }

            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (node.Inputs[i].Producer is not null && ExportRules.IsWeight(node.Op, i) && IsFixed(node.Inputs[i]))
                {
                    Folded.Add(node.Inputs[i]);
                    Used.Add(node.Inputs[i]);
                }
                else
                {
                    open.Push(node.Inputs[i]);
                }
            }
        }
    }

    public HashSet<Node> Nodes { get; } = [];

    /// <summary>Values that a needed node reads, and the outputs.</summary>
    public HashSet<Value> Used { get; } = [];

    /// <summary>Weights to be computed beforehand.</summary>
    public HashSet<Value> Folded { get; } = [];

    private bool IsFixed(Value value) =>
        value.Kind is ValueKind.Parameter or ValueKind.Constant || _fixed.GetValueOrDefault(value);
}
