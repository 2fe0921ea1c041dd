using FastNN.Onnx.Model;

namespace FastNN.Onnx.Host;

/// <summary>An order in which nodes can run. Files have them sorted; those that do not are sorted here, and cycles are
/// found.</summary>
internal static class NodeOrder
{
    /// <summary>The graph's nodes, each behind those whose outputs it reads.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="isKnown">Whether a name is there before any node runs.</param>
    /// <param name="file">What messages call the file.</param>
    /// <exception cref="FileFormatException">A node reads what nothing computes, or its own output.</exception>
    public static IReadOnlyList<NodeDef> Of(GraphDef graph, Func<string, bool> isKnown, string file)
    {
        var producers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            foreach (string output in graph.Nodes[i].Outputs)
            {
                if (output.Length > 0 && !producers.TryAdd(output, i))
                {
                    throw Error(graph.Nodes[i], $"names that are defined once", $"'{output}' again, by {graph.Nodes[i].Title}");
                }
            }
        }

        // How many producers each node waits for, and who waits for it.
        var waits = new int[graph.Nodes.Count];
        var followers = new List<int>[graph.Nodes.Count];
        bool sorted = true;
        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            var sources = new HashSet<int>();
            foreach (string name in Reads(graph.Nodes[i]))
            {
                if (producers.TryGetValue(name, out int producer))
                {
                    sources.Add(producer);
                }
                else if (!isKnown(name))
                {
                    throw Error(graph.Nodes[i], $"inputs of {graph.Nodes[i].Title} that some node computes or the graph is given",
                        $"'{name}'");
                }
            }

            foreach (int producer in sources)
            {
                sorted &= producer < i;
                (followers[producer] ??= []).Add(i);
                waits[i]++;
            }
        }

        if (sorted)
        {
            return graph.Nodes;
        }

        var ready = new PriorityQueue<int, int>();
        for (int i = 0; i < waits.Length; i++)
        {
            if (waits[i] == 0)
            {
                ready.Enqueue(i, i);
            }
        }

        var order = new List<NodeDef>(graph.Nodes.Count);
        while (ready.TryDequeue(out int next, out _))
        {
            order.Add(graph.Nodes[next]);
            foreach (int follower in followers[next] ?? [])
            {
                if (--waits[follower] == 0)
                {
                    ready.Enqueue(follower, follower);
                }
            }
        }

        if (order.Count < graph.Nodes.Count)
        {
            NodeDef stuck = graph.Nodes[Array.FindIndex(waits, count => count > 0)];
            throw Error(stuck, "a graph without cycles", $"one through {stuck.Title}");
        }

        return order;

        FileFormatException Error(NodeDef node, string expected, string got) =>
            new(file, Math.Max(node.Offset, 0), expected, got);
    }

    /// <summary>What a node reads: its inputs, and what the graphs among its attributes read of this one.</summary>
    private static IEnumerable<string> Reads(NodeDef node) => node.Inputs.Where(name => name.Length > 0)
        .Concat(node.Attributes.Values.Where(attribute => attribute.Graph is not null).SelectMany(attribute =>
            Free(attribute.Graph!)));

    /// <summary>The names that a graph reads of those around it.</summary>
    public static HashSet<string> Free(GraphDef graph)
    {
        var read = new HashSet<string>(graph.Nodes.SelectMany(Reads), StringComparer.Ordinal);
        read.UnionWith(graph.Outputs.Select(output => output.Name));
        read.ExceptWith(graph.Nodes.SelectMany(node => node.Outputs));
        read.ExceptWith(graph.Inputs.Select(input => input.Name));
        read.ExceptWith(graph.Initializers.Select(initializer => initializer.Name));
        read.ExceptWith(graph.SparseInitializers.Select(sparse => sparse.Values?.Name ?? ""));
        read.Remove("");
        return read;
    }
}
