using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>Makes one Relu or Clip of two in a row.</summary>
internal sealed class ClipFusion : IOnnxPass
{
    public string Name => "clips";

    public string Does => "makes one Relu or Clip of two in a row";

    public void Run(PassGraph graph, PassNotes notes)
    {
        foreach (NodeDef node in graph.Nodes)
        {
            if (!graph.IsLive(node) || Bounds(graph, node) is not var (low, high) || !graph.IsReadOnce(node.Inputs[0])
                || graph.Producer(node.Inputs[0]) is not { } before || Bounds(graph, before) is not var (least, most)
                || !(low <= high) || !(least <= most))
            {
                continue;
            }

            notes.Add(before);
            Add(graph, node, before.Inputs[0], Math.Clamp(least, low, high), Math.Clamp(most, low, high));
            graph.RemoveWithInputs(node);
        }
    }

    private static void Add(PassGraph graph, NodeDef node, string x, float low, float high)
    {
        long opset = graph.Opset(node);
        if (low == 0 && float.IsPositiveInfinity(high))
        {
            graph.Add("Relu", opset, [x], [node.Outputs[0]], node);
        }
        else if (opset < 11)
        {
            graph.Add("Clip", opset, [x], [node.Outputs[0]], node,
                InitializerDef.Float("min", Math.Max(low, float.MinValue)),
                InitializerDef.Float("max", Math.Min(high, float.MaxValue)));
        }
        else
        {
            string Bound(float value, string name) => float.IsInfinity(value)
                ? ""
                : graph.AddConstant(OnnxTensor.Create([value]), $"{node.Outputs[0]}_{name}");
            graph.Add("Clip", opset, [x, Bound(low, "min"), Bound(high, "max")], [node.Outputs[0]], node);
        }
    }

    /// <summary>The bounds of a Relu, or of a Clip of floats with constant ones; null for all else.</summary>
    public static (float Low, float High)? Bounds(PassGraph graph, NodeDef node)
    {
        if (graph.Is(node, "Relu"))
        {
            return graph.Shapes.Type(node.Inputs[0]) == OnnxElementType.Float32 ? (0, float.PositiveInfinity) : null;
        }

        if (!graph.Is(node, "Clip") || graph.Shapes.Type(node.Inputs[0]) != OnnxElementType.Float32)
        {
            return null;
        }

        if (graph.Opset(node) < 11)
        {
            float min = PassGraph.Float(node, "min", float.MinValue), max = PassGraph.Float(node, "max", float.MaxValue);
            return (min <= float.MinValue ? float.NegativeInfinity : min, max >= float.MaxValue ? float.PositiveInfinity : max);
        }

        float low = float.NegativeInfinity, high = float.PositiveInfinity;
        for (int i = 1; i < node.Inputs.Count && i < 3; i++)
        {
            if (node.Inputs[i].Length == 0)
            {
                continue;
            }

            if (graph.Scalar(node, i) is not { } bound)
            {
                return null;
            }

            (low, high) = i == 1 ? (bound, high) : (low, bound);
        }

        return (low, high);
    }
}
