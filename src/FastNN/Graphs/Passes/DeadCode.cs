namespace FastNN.Graphs.Passes;

/// <summary>Drops nodes that no output needs.</summary>
internal sealed class DeadCode : IPass
{
    public string Name => "dead code";

    public bool KeepsBits => true;

    public bool Run(Recording recording)
    {
        var needed = new HashSet<Value>();
        var live = new HashSet<Node>();
        for (int i = recording.Nodes.Count - 1; i >= 0; i--)
        {
            Node node = recording.Nodes[i];
            if (Array.Exists(node.Outputs, output => recording.IsOutput(output) || needed.Contains(output)))
            {
                live.Add(node);
                needed.UnionWith(node.Inputs);
            }
        }

        return recording.Nodes.RemoveAll(node => !live.Contains(node)) > 0;
    }
}
