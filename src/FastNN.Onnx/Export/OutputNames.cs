using FastNN.Onnx.Model;

namespace FastNN.Onnx.Export;

/// <summary>Gives what nodes compute the names that outputs have, and leaves out nodes that no output needs.</summary>
internal static class OutputNames
{
    /// <param name="nodes">All nodes, in an order in which they can run.</param>
    /// <param name="names">The outputs' names.</param>
    /// <param name="results">What the nodes call them.</param>
    public static List<NodeDef> Give(List<NodeDef> nodes, string[] names, List<string> results)
    {
        var renamed = new Dictionary<string, string>(StringComparer.Ordinal);
        var computed = new HashSet<string>(nodes.SelectMany(node => node.Outputs), StringComparer.Ordinal);
        for (int i = 0; i < names.Length; i++)
        {
            if (!computed.Contains(results[i]) || !renamed.TryAdd(results[i], names[i]))
            {
                // An input, a constant, or what another output is already.
                nodes.Add(new NodeDef
                {
                    Name = $"Output_{names[i]}",
                    Operator = "Identity",
                    Inputs = [results[i]],
                    Outputs = [names[i]],
                });
            }
        }

        foreach (NodeDef node in nodes)
        {
            Rename(node.Inputs);
            Rename(node.Outputs);
        }

        return Needed(nodes, names);

        void Rename(List<string> list)
        {
            for (int i = 0; i < list.Count; i++)
            {
                list[i] = renamed.GetValueOrDefault(list[i], list[i]);
            }
        }
    }

    private static List<NodeDef> Needed(List<NodeDef> nodes, string[] names)
    {
        var wanted = new HashSet<string>(names, StringComparer.Ordinal);
        var needed = new List<NodeDef>();
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            if (nodes[i].Outputs.Exists(wanted.Contains))
            {
                needed.Add(nodes[i]);
                wanted.UnionWith(nodes[i].Inputs);
            }
        }

        needed.Reverse();
        return needed;
    }
}
