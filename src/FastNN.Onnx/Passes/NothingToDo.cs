using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Removes nodes that give their input as it is: Identity, Dropout of inference, Cast to the same type, reshapes to the same
/// shape,
/// transpositions of nothing, padding by 0, slices of everything, concatenations of one, and + 0, * 1, / 1, ^ 1.
/// </summary>
internal sealed class NothingToDo : IOnnxPass
{
    public string Name => "nothing-to-do";

    public string Does => "removes Identity, Dropout, Cast, Reshape, Transpose, Pad, Slice and others that change nothing";

    public void Run(PassGraph graph, PassNotes notes)
    {
        foreach (NodeDef node in graph.Nodes)
        {
            if (!graph.IsPlain(node) || node.Outputs.Count == 0
                || node.Outputs.Skip(1).Any(output => output.Length > 0 && (graph.Consumers(output).Count > 0
                    || graph.IsKept(output)))
                || Same(graph, node) is not { Length: > 0 } source || !graph.CanReplace(node.Outputs[0], source))
            {
                continue;
            }

            notes.Add(node);
            graph.Replace(node, node.Outputs[0], source);
        }
    }

    /// <summary>The input that the node's first output is; null where it is another.</summary>
    private static string? Same(PassGraph graph, NodeDef node)
    {
        string first = node.Inputs.Count > 0 ? node.Inputs[0] : "";
        bool changes = node.Operator switch
        {
            "Identity" => false,

            // Before opset 7 a Dropout said itself whether it trains.
            "Dropout" => graph.Opset(node) < 7 ? PassGraph.Int(node, "is_test", 0) == 0
                : graph.Opset(node) >= 12 && node.Inputs.Count > 2 && node.Inputs[2].Length > 0
                    && graph.Constant(node.Inputs[2]) is not { Data: bool[] and [false] },
            "Cast" => graph.Shapes.Type(first) is OnnxElementType.Undefined
                || (long)graph.Shapes.Type(first) != PassGraph.Int(node, "to", 0),
            "Transpose" => !(node.Attributes.GetValueOrDefault("perm") is { Kind: AttributeKind.Ints } perm
                && perm.Ints.SequenceEqual(Enumerable.Range(0, perm.Ints.Count).Select(axis => (long)axis))),
            "Reshape" or "Expand" or "Squeeze" or "Unsqueeze" or "Slice" or "Tile" or "Flatten" =>
                !Extents.AreSame(graph.Shapes.Dims(first), graph.Shapes.Dims(node.Outputs[0])) || Steps(graph, node),
            "Pad" => graph.Longs(node, graph.Opset(node) >= 11 ? 1 : -1, "pads") is not { } pads
                || Array.Exists(pads, pad => pad != 0),
            "Concat" => node.Inputs.Count != 1,
            "Sum" or "Max" or "Min" or "Mean" => node.Inputs.Count != 1,
            _ => true,
        };
        return changes ? Neutral(graph, node) : first;
    }

    // A slice of everything may be one from the end to the start.
    private static bool Steps(PassGraph graph, NodeDef node) => node.Operator == "Slice" && node.Inputs.Count > 4
        && (graph.Longs(node, 4, "steps") is not { } steps || Array.Exists(steps, step => step != 1));

    private static string? Neutral(PassGraph graph, NodeDef node)
    {
        if (node.Inputs.Count != 2 || node.Attributes.ContainsKey("axis"))
        {
            return null;
        }

        (float? neutral, bool swaps) = node.Operator switch
        {
            "Mul" => ((float?)1, true),
            "Add" => (0, true),
            "Sub" => (0, false),
            "Div" or "Pow" => (1, false),
            _ => (null, false),
        };
        for (int i = 1; neutral is not null && i >= (swaps ? 0 : 1); i--)
        {
            // The other must not get its shape from this one; + 0 makes 0 of -0, which no relation sees.
            if (graph.Scalar(node.Inputs[i]) is { } value && value == neutral
                && graph.Shapes.Rank(node.Inputs[1 - i]) is { } rank && rank >= graph.ConstantDims(node.Inputs[i])!.Count)
            {
                return node.Inputs[1 - i];
            }
        }

        return null;
    }
}
