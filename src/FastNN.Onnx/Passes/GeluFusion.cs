using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Finds GELU (Hendrycks and Gimpel, 2016) in its pieces: x / 2 (1 + erf(x / sqrt 2)), and the form with tanh, whatever the order
/// of the factors.
/// </summary>
internal sealed class GeluFusion : IOnnxPass
{
    private const long Opset = 20;
    private static readonly double Root = Math.Sqrt(0.5), TanhScale = Math.Sqrt(2 / Math.PI);
    private const double Cubic = 0.044715;

    public string Name => "gelu";

    public string Does => "finds GELU, by erf or tanh, in its pieces";

    public void Run(PassGraph graph, PassNotes notes)
    {
        if (graph.Newest < Opset)
        {
            return;
        }

        foreach (NodeDef node in graph.Nodes)
        {
            if (!graph.IsLive(node) || !(graph.Is(node, "Mul") || graph.Is(node, "Div")))
            {
                continue;
            }

            var matched = new HashSet<NodeDef>();
            var factors = Factors.Of(graph, node.Outputs[0], matched, node);
            if (factors.Values.Count != 2 || !factors.IsNumber(0.5)
                || (Match(graph, factors.Values[0], factors.Values[1], matched)
                    ?? Match(graph, factors.Values[1], factors.Values[0], matched)) is not var (x, approximate)
                || !graph.AreClosed(matched, node) || graph.Shapes.Rank(x) == 0)
            {
                continue;
            }

            notes.Add(node);
            graph.Add("Gelu", Opset, [x], [node.Outputs[0]], node,
                approximate ? [InitializerDef.Text("approximate", "tanh")] : []);
            graph.RemoveWithInputs(node);
        }
    }

    private static (string X, bool Approximate)? Match(PassGraph graph, string x, string gate, HashSet<NodeDef> matched)
    {
        var inner = new List<NodeDef>();
        if (Factors.Plus(graph, gate, 1, inner) is not { } function)
        {
            return null;
        }

        bool? approximate = null;
        if (Factors.Inside(graph, function, "Erf", inner) is { } argument)
        {
            var scaled = Factors.Of(graph, argument, inner);
            approximate = scaled.IsNumber(Root) && scaled.Values is [var only] && only == x ? false : null;
        }
        else if (Factors.Inside(graph, function, "Tanh", inner) is { } cubic && IsCubic(graph, cubic, x, inner))
        {
            approximate = true;
        }

        if (approximate is null)
        {
            return null;
        }

        matched.UnionWith(inner);
        return (x, approximate.Value);
    }

    /// <summary>sqrt(2 / pi) (x + 0.044715 x^3), or with x in front of the parenthesis.</summary>
    private static bool IsCubic(PassGraph graph, string value, string x, List<NodeDef> inner)
    {
        var outer = Factors.Of(graph, value, inner);
        if (!outer.IsNumber(TanhScale))
        {
            return false;
        }

        if (outer.Values is [var sum] && graph.Producer(sum) is { } add && graph.Is(add, "Add") && add.Inputs.Contains(x))
        {
            inner.Add(add);
            return IsPower(graph, add.Inputs[add.Inputs[0] == x ? 1 : 0], x, 3, inner);
        }

        return outer.Besides(x) is { } one && Factors.Plus(graph, one, 1, inner) is { } square
            && IsPower(graph, square, x, 2, inner);
    }

    private static bool IsPower(PassGraph graph, string value, string x, int power, List<NodeDef> inner)
    {
        var factors = Factors.Of(graph, value, inner);
        return factors.IsNumber(Cubic) && Factors.Power(graph, factors, x, inner) == power;
    }
}
