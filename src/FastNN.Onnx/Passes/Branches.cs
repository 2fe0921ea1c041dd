using FastNN.Onnx.Host;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Puts the nodes of a branch in the place of an If whose condition is constant, so that the other passes see them. Where a
/// condition follows from a model's inputs, a session knows it once it has met their shapes, or takes a single integer as a
/// constant.
/// </summary>
internal sealed class Branches : IOnnxPass
{
    public string Name => "branches";

    public string Does => "replaces If of a constant condition by its branch";

    public void Run(PassGraph graph, PassNotes notes)
    {
        bool changed = true;
        while (changed)
        {
            changed = false;
            foreach (NodeDef node in graph.Nodes)
            {
                if (node is { Operator: "If", Domain.Length: 0, Inputs: [var condition] }
                    && graph.Constant(condition) is { Data: bool[] { Length: 1 } known }
                    && node.Attributes.GetValueOrDefault(known[0] ? "then_branch" : "else_branch")?.Graph is
                    { Inputs.Count: 0, SparseInitializers.Count: 0 } branch
                    && branch.Outputs.Count == node.Outputs.Count
                    && branch.Initializers.TrueForAll(initializer => initializer.Type.Bits() >= 8))
                {
                    notes.Add(node);
                    Inline(graph, node, branch);
                    changed = true;
                }
            }
        }
    }

    private static void Inline(PassGraph graph, NodeDef node, GraphDef branch)
    {
        graph.Remove(node);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (TensorDef initializer in branch.Initializers)
        {
            names[initializer.Name] = graph.AddConstant(graph.Decode(initializer), $"{initializer.Name}_branch");
        }

        var computed = new HashSet<string>(branch.Nodes.SelectMany(inner => inner.Outputs), StringComparer.Ordinal);
        for (int i = 0; i < node.Outputs.Count; i++)
        {
            if (node.Outputs[i].Length > 0 && computed.Contains(branch.Outputs[i].Name))
            {
                names.TryAdd(branch.Outputs[i].Name, node.Outputs[i]);
            }
        }

        foreach (string output in computed)
        {
            if (output.Length > 0 && !names.ContainsKey(output))
            {
                names.Add(output, graph.Fresh($"{output}_branch"));
            }
        }

        foreach (NodeDef inner in branch.Nodes)
        {
            graph.Add(Renamed(inner, names));
        }

        // What the branch hands through, or hands out twice.
        for (int i = 0; i < node.Outputs.Count; i++)
        {
            string source = names.GetValueOrDefault(branch.Outputs[i].Name, branch.Outputs[i].Name);
            if (node.Outputs[i].Length > 0 && source != node.Outputs[i])
            {
                graph.Add("Identity", 1, [source], [node.Outputs[i]], null);
            }
        }

        graph.ForgetBodies();
    }

    private static NodeDef Renamed(NodeDef node, Dictionary<string, string> names) => InitializerDef.Renamed(
        node, names,
        attribute => attribute.Graph is { } body ? InitializerDef.Body(attribute.Name, Renamed(body, names)) : attribute);

    /// <summary>A body that reads renamed values; names of its own hide those around it.</summary>
    private static GraphDef Renamed(GraphDef body, Dictionary<string, string> names)
    {
        HashSet<string> free = NodeOrder.Free(body);
        var visible = names.Where(name => free.Contains(name.Key)).ToDictionary(StringComparer.Ordinal);
        return visible.Count == 0 ? body : new GraphDef
        {
            Name = body.Name,
            Nodes = body.Nodes.ConvertAll(node => Renamed(node, visible)),
            Inputs = body.Inputs,
            Outputs = body.Outputs.ConvertAll(output => new ValueDef
            {
                Name = visible.GetValueOrDefault(output.Name, output.Name),
                Type = output.Type,
            }),
            Values = body.Values,
            Initializers = body.Initializers,
            SparseInitializers = body.SparseInitializers,
        };
    }
}
