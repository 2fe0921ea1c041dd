using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Merges transpositions: two in a row become one or none; one goes behind functions of elements where another waits; two in
/// front
/// of an addition become one behind it; Gemm takes those in front of it.
/// </summary>
internal sealed class TransposeFusion : IOnnxPass
{
    private static readonly HashSet<string> Unary = new(StringComparer.Ordinal)
    {
        "Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Selu", "HardSigmoid", "HardSwish", "Softplus", "Softsign", "Gelu", "Swish",
        "Mish", "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs", "Reciprocal", "Identity", "Cast", "Clip",
    };

    private static readonly HashSet<string> Binary = new(StringComparer.Ordinal) { "Add", "Sub", "Mul", "Div", "Max", "Min" };

    public string Name => "transposes";

    public string Does => "merges transpositions, moves them behind functions of elements, and into Gemm";

    public void Run(PassGraph graph, PassNotes notes)
    {
        foreach (NodeDef node in graph.InOrder())
        {
            if (!graph.IsLive(node) || !graph.IsPlain(node))
            {
                continue;
            }

            if (node.Operator == "Transpose")
            {
                Merge(graph, node, notes);
            }
            else if (node.Operator == "Gemm")
            {
                IntoGemm(graph, node, notes);
            }
            else if (Unary.Contains(node.Operator) && EndsInTranspose(graph, node.Outputs[0]))
            {
                Sink(graph, node, notes);
            }
            else if (Binary.Contains(node.Operator) && node.Inputs.Count == 2 && !node.Attributes.ContainsKey("axis"))
            {
                Join(graph, node, notes);
            }
        }
    }

    private static NodeDef? Before(PassGraph graph, NodeDef node, int input, bool alone = true) =>
        graph.Producer(node, input, "Transpose") is { } transpose && (!alone || graph.IsReadOnce(node.Inputs[input])) ? transpose
            : null;

    private static long[]? Order(PassGraph graph, NodeDef transpose) =>
        transpose.Attributes.GetValueOrDefault("perm") is { Kind: AttributeKind.Ints } perm
            && Axes.Permutation(transpose, perm.Ints.Count) is { } order
            ? Array.ConvertAll(order, axis => (long)axis)
            : graph.Shapes.Rank(transpose.Inputs[0]) is { } rank && Axes.Permutation(transpose, rank) is { } turned
                ? Array.ConvertAll(turned, axis => (long)axis)
                : null;

    private static void Merge(PassGraph graph, NodeDef node, PassNotes notes)
    {
        if (Before(graph, node, 0, alone: false) is not { } first || Order(graph, first) is not { } inner
            || Order(graph, node) is not { } outer || inner.Length != outer.Length)
        {
            return;
        }

        long[] both = Array.ConvertAll(outer, axis => inner[axis]);
        bool nothing = both.SequenceEqual(Enumerable.Range(0, both.Length).Select(axis => (long)axis));
        string source = first.Inputs[0];
        if (nothing && graph.CanReplace(node.Outputs[0], source))
        {
            notes.Add(node);
            graph.Replace(node, node.Outputs[0], source);
        }
        else if (graph.IsReadOnce(node.Inputs[0]))
        {
            notes.Add(node);
            graph.Remove(node);
            graph.Add("Transpose", graph.Opset(node), [source], [node.Outputs[0]], node, InitializerDef.Ints("perm", both));
        }
        else
        {
            return;
        }

        if (graph.IsUnused(first))
        {
            graph.RemoveWithInputs(first);
        }
    }

    private static bool EndsInTranspose(PassGraph graph, string value)
    {
        while (graph.IsReadOnce(value) && graph.Consumers(value)[0] is { } next && graph.IsPlain(next))
        {
            if (next.Operator == "Transpose")
            {
                return true;
            }

            if (!Unary.Contains(next.Operator) || next.Inputs[0] != value)
            {
                return false;
            }

            value = next.Outputs[0];
        }

        return false;
    }

    private static void Sink(PassGraph graph, NodeDef node, PassNotes notes)
    {
        if (Before(graph, node, 0) is not { } transpose)
        {
            return;
        }

        notes.Add(transpose);
        string output = node.Outputs[0], moved = graph.Fresh(output);
        graph.SetInput(node, 0, transpose.Inputs[0]);
        graph.Remove(transpose);
        graph.SetOutput(node, 0, moved);
        graph.Add("Transpose", graph.Opset(transpose), [moved], [output], transpose, [.. transpose.Attributes.Values]);
    }

    private static void Join(PassGraph graph, NodeDef node, PassNotes notes)
    {
        if (Before(graph, node, 0) is not { } first || Before(graph, node, 1) is not { } second || first == second
            || Order(graph, first) is not { } order || Order(graph, second) is not { } other || !order.SequenceEqual(other))
        {
            return;
        }

        notes.Add(second);
        string output = node.Outputs[0], moved = graph.Fresh(output);
        graph.SetInput(node, 0, first.Inputs[0]);
        graph.SetInput(node, 1, second.Inputs[0]);
        graph.Remove(first);
        graph.Remove(second);
        graph.SetOutput(node, 0, moved);
        graph.Add("Transpose", graph.Opset(first), [moved], [output], first, InitializerDef.Ints("perm", order));
    }

    private static void IntoGemm(PassGraph graph, NodeDef node, PassNotes notes)
    {
        for (int i = 0; i < 2; i++)
        {
            if (Before(graph, node, i) is { } transpose && Order(graph, transpose) is [1, 0])
            {
                notes.Add(transpose);
                string flag = i == 0 ? "transA" : "transB";
                graph.SetInput(node, i, transpose.Inputs[0]);
                graph.Remove(transpose);
                node.Attributes[flag] = InitializerDef.Int(flag, PassGraph.Int(node, flag, 0) == 0 ? 1 : 0);
            }
        }
    }
}
