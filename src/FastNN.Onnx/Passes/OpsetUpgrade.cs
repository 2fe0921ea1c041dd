using System.Globalization;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Rewrites nodes of opset 7 and later in the form of a newer one, so that one file can hold them beside newer operators. What
/// changed its meaning, and not its form alone, is refused.
/// </summary>
/// <param name="from">The opset that the nodes are of.</param>
/// <param name="to">The opset that they shall be of.</param>
/// <param name="rank">The rank of a value of the main graph; null where it is not known.</param>
internal sealed class OpsetUpgrade(long from, long to, Func<string, int?> rank)
{
    private const long Oldest = 7;
    private int _count;

    /// <summary>Why a graph cannot be rewritten: the first node; null where it can be.</summary>
    public string? Obstacle(GraphDef graph) => from < Oldest && from < to
        ? string.Create(CultureInfo.InvariantCulture, $"opset {from}, of which operators broadcast in another way")
        : graph.Nodes.Where(node => node.Opset == 0 && node.Domain.Length == 0 && Changes(node)).Select(node => node.Title)
            .Concat(Bodies(graph).Select(Obstacle)).FirstOrDefault(found => found is not null);

    /// <summary>Whether a node means something else in the newer opset, or cannot be written in it.</summary>
    private bool Changes(NodeDef node) => node.Operator switch
    {
        "Upsample" => Crosses(10),
        "Resize" => Crosses(11),
        "Softmax" or "LogSoftmax" or "Hardmax" => Crosses(13) && PassGraph.Int(node, "axis", 1) is var axis && axis != -1
            && axis != rank(node.Inputs[0]) - 1,
        "BatchNormalization" => (Crosses(9) && PassGraph.Int(node, "spatial", 1) == 0)
            || (Crosses(14) && node.Outputs.Skip(1).Any(output => output.Length > 0)),
        "GroupNormalization" => Crosses(21),
        "Scan" => Crosses(9),
        "DFT" => Crosses(20),
        _ => false,
    };

    /// <summary>Rewrites the nodes of a graph and of those within it.</summary>
    public void Apply(GraphDef graph)
    {
        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            NodeDef node = graph.Nodes[i];
            if (node.Opset == 0 && node.Domain.Length == 0)
            {
                graph.Nodes[i] = Upgraded(node, graph);
            }
        }

        foreach (GraphDef body in Bodies(graph))
        {
            Apply(body);
        }
    }

    private NodeDef Upgraded(NodeDef node, GraphDef graph)
    {
        string[] moved = node.Operator switch
        {
            "Squeeze" or "Unsqueeze" or "ReduceSum" when Crosses(13) => ["axes"],
            "Split" when Crosses(13) => ["split"],
            "ReduceMean" or "ReduceMax" or "ReduceMin" or "ReduceProd" or "ReduceL1" or "ReduceL2" or "ReduceLogSum"
                or "ReduceLogSumExp" or "ReduceSumSquare" when Crosses(18) => ["axes"],
            "Clip" when Crosses(11) => ["min", "max"],
            "Pad" when Crosses(11) => ["pads", "value"],
            "Slice" when Crosses(10) => ["starts", "ends", "axes"],
            "TopK" when Crosses(10) => ["k"],
            _ => [],
        };
        var inputs = new List<string>(node.Inputs);
        var attributes = new Dictionary<string, AttributeDef>(node.Attributes, StringComparer.Ordinal);
        foreach (string name in moved)
        {
            inputs.Add(attributes.Remove(name, out AttributeDef? attribute) ? Constant(graph, node, attribute) : "");
        }

        while (moved.Length > 0 && inputs[^1].Length == 0)
        {
            inputs.RemoveAt(inputs.Count - 1);
        }

        if (node.Operator == "Dropout" && Crosses(12))
        {
            attributes.Remove("ratio");
        }
        else if (node.Operator == "BatchNormalization")
        {
            attributes.Remove("spatial");
        }
        else if (node.Operator == "Split" && Crosses(18) && inputs.Count == 1)
        {
            attributes["num_outputs"] = InitializerDef.Int("num_outputs", node.Outputs.Count);
        }
        else if (node.Operator == "GridSample" && Crosses(20))
        {
            string mode = PassGraph.Text(node, "mode", "bilinear");
            attributes["mode"] = InitializerDef.Text("mode", mode switch
            {
                "bilinear" => "linear",
                "bicubic" => "cubic",
                _ => mode,
            });
        }

        return new NodeDef
        {
            Name = node.Name,
            Operator = node.Operator == "Scatter" && Crosses(11) ? "ScatterElements" : node.Operator,
            Inputs = inputs,
            Outputs = node.Outputs,
            Attributes = attributes,
            Offset = node.Offset,
        };
    }

    private string Constant(GraphDef graph, NodeDef node, AttributeDef attribute)
    {
        string name = string.Create(
            CultureInfo.InvariantCulture, $"{node.Outputs[0]}_{attribute.Name}_opset{to}_{++_count}");
        OnnxTensor value = attribute.Kind switch
        {
            AttributeKind.Float => OnnxTensor.Create([attribute.Float]),
            AttributeKind.Int => OnnxTensor.Create([attribute.Int], 1),
            _ => OnnxTensor.Create([.. attribute.Ints], attribute.Ints.Count),
        };
        graph.Initializers.Add(InitializerDef.Of(name, value));
        return name;
    }

    private bool Crosses(long opset) => from < opset && opset <= to;

    private static IEnumerable<GraphDef> Bodies(GraphDef graph) => graph.Nodes.SelectMany(node => node.Attributes.Values)
        .SelectMany(attribute => attribute.Graph is { } body ? attribute.Graphs.Append(body) : attribute.Graphs);
}
