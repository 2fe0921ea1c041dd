using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Finds activations that are x times a gate of x in their pieces: Swish (SiLU), HardSwish and Mish.
/// </summary>
internal sealed class GateFusion : IOnnxPass
{
    public string Name => "gated-activations";

    public string Does => "finds Swish (SiLU), HardSwish and Mish in their pieces";

    public void Run(PassGraph graph, PassNotes notes)
    {
        foreach (NodeDef node in graph.Nodes)
        {
            if (!graph.IsLive(node) || !(graph.Is(node, "Mul") || graph.Is(node, "Div")))
            {
                continue;
            }

            var matched = new HashSet<NodeDef>();
            var factors = Factors.Of(graph, node.Outputs[0], matched, node);
            if (factors.Values.Count != 2)
            {
                continue;
            }

            for (int i = 0; i < 2; i++)
            {
                var inner = new List<NodeDef>(matched);
                string x = factors.Values[i];
                if (Match(graph, x, factors.Values[1 - i], factors.Number, inner) is var (name, opset, alpha)
                    && opset <= graph.Newest && graph.AreClosed(inner, node) && graph.Shapes.Rank(x) != 0)
                {
                    notes.Add(node);
                    graph.Add(name, opset, [x], [node.Outputs[0]], node,
                        name == "Swish" && alpha != 1 ? [InitializerDef.Float("alpha", alpha)] : []);
                    graph.RemoveWithInputs(node);
                    break;
                }
            }
        }
    }

    private static (string Name, long Opset, float Alpha)? Match(
        PassGraph graph, string x, string gate, double number, List<NodeDef> inner)
    {
        if (graph.Producer(gate) is not { } function || !graph.IsPlain(function))
        {
            return null;
        }

        inner.Add(function);
        switch (function.Operator)
        {
            case "Sigmoid" when number == 1:
                var scaled = Factors.Of(graph, function.Inputs[0], inner);
                return scaled.Values is [var only] && only == x ? ("Swish", 24, (float)scaled.Number) : null;
            case "HardSigmoid" when number == 1 && function.Inputs[0] == x
                && Factors.IsClose(PassGraph.Float(function, "alpha", 0.2f), 1 / 6.0) && PassGraph.Float(function, "beta", 0.5f) == 0.5f:
            case "Clip" when Factors.IsClose(number, 1 / 6.0) && ClipFusion.Bounds(graph, function) is (0, 6)
                && Factors.Plus(graph, function.Inputs[0], 3, inner) == x:
                return ("HardSwish", 14, 1);
            case "Tanh" when number == 1 && IsSoftplus(graph, function.Inputs[0], x, inner):
                return ("Mish", 18, 1);
            default:
                return null;
        }
    }

    private static bool IsSoftplus(PassGraph graph, string value, string x, List<NodeDef> inner) =>
        Factors.Inside(graph, value, "Softplus", inner) == x
            || (Factors.Inside(graph, value, "Log", inner) is { } sum && Factors.Plus(graph, sum, 1, inner) is { } exponential
                && Factors.Inside(graph, exponential, "Exp", inner) == x);
}
