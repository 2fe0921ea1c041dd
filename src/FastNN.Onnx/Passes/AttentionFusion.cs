using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Finds scaled dot-product attention (Vaswani et al., 2017) in its pieces: softmax(scale q k^T + mask) v, of heads in an axis of
/// their own or folded into the batch; masks are added, or chosen by Where, and weights that are not a number may be made 0.
/// </summary>
internal sealed class AttentionFusion : IOnnxPass
{
    private const long Opset = 23;

    // A softmax gives 0 for what lies this far below, and with the addition of any score it still does.
    private const float Hidden = -1e4f;

    public string Name => "attention";

    public string Does => "finds Attention in its pieces";

    public void Run(PassGraph graph, PassNotes notes)
    {
        if (graph.Newest < Opset)
        {
            return;
        }

        foreach (NodeDef node in graph.Nodes)
        {
            if (graph.IsLive(node) && graph.Is(node, "MatMul"))
            {
                Fuse(graph, node, notes);
            }
        }
    }

    private static void Fuse(PassGraph graph, NodeDef node, PassNotes notes)
    {
        string value = node.Inputs[1];
        var matched = new HashSet<NodeDef> { node };
        if (graph.Producer(Guarded(graph, node.Inputs[0], matched)) is not { } softmax || !graph.Is(softmax, "Softmax")
            || graph.Shapes.Dims(value) is not { Length: 3 or 4 } v || !IsLastAxis(graph, softmax, v.Length)
            || graph.Shapes.Type(value) != OnnxElementType.Float32)
        {
            return;
        }

        matched.Add(softmax);
        var masks = new List<Mask>();
        if (Scores(graph, softmax.Inputs[0], matched, masks, v.Length) is not { } scores)
        {
            return;
        }

        (string q, double queryScale) = Unscaled(graph, scores.Product.Inputs[0], matched);
        (string turned, double keyScale) = Unscaled(graph, scores.Product.Inputs[1], matched);
        if (graph.Shapes.Dims(q) is not { } queries || queries.Length != v.Length
            || graph.Shapes.Dims(turned) is not { } keys || keys.Length != v.Length
            || !MayBeAttention(queries, keys, v) || !graph.AreClosed(matched, node))
        {
            return;
        }

        notes.Add(node);

        // Keys that nothing turned for the product are turned back here, which moves them once and leaves no scores.
        int[] order = [.. Enumerable.Range(0, v.Length)];
        string source = turned;
        if (graph.Producer(turned) is { } transpose && graph.Is(transpose, "Transpose")
            && Axes.Permutation(transpose, v.Length) is { } own)
        {
            (order, source) = (own, transpose.Inputs[0]);
        }

        (order[^1], order[^2]) = (order[^2], order[^1]);
        string k = order.SequenceEqual(Enumerable.Range(0, order.Length))
            ? source
            : One(graph, "Transpose", source, InitializerDef.Ints("perm", [.. order.Select(axis => (long)axis)]));
        string? mask = null;
        foreach (Mask one in masks)
        {
            string added = one.Of(graph);
            mask = mask is null ? added : Two(graph, "Add", mask, added);
        }

        Emit(graph, node, q, k, value, mask, (float)(scores.Scale * queryScale * keyScale), v.Length);
    }

    /// <summary>
    /// The weights behind which those that are not a number are made 0, as PyTorch writes it for masks of truth values: a query
    /// that may see no key has such weights, and Attention gives 0 for it.
    /// </summary>
    private static string Guarded(PassGraph graph, string weights, HashSet<NodeDef> matched)
    {
        if (graph.Producer(weights) is not { } where || !graph.Is(where, "Where") || where.Inputs.Count != 3
            || graph.Producer(where.Inputs[0]) is not { } test)
        {
            return weights;
        }

        bool isNot = graph.Is(test, "Not");
        NodeDef? isNaN = isNot ? graph.Producer(test, 0, "IsNaN") : graph.Is(test, "IsNaN") ? test : null;
        (string kept, string other) = isNot ? (where.Inputs[1], where.Inputs[2]) : (where.Inputs[2], where.Inputs[1]);
        if (isNaN is null || isNaN.Inputs[0] != kept || Filler(graph, other, kept) is not 0)
        {
            return weights;
        }

        matched.UnionWith([where, test, isNaN]);
        return kept;
    }

    /// <summary>The number that stands for elements of another value, where it makes that no larger.</summary>
    private static float? Filler(PassGraph graph, string name, string beside) =>
        Number(graph, name) is { } number && graph.Shapes.Dims(name) is { } dims
            && (Array.TrueForAll(dims, extent => extent.Value == 1) || (graph.Shapes.Dims(beside) is { } others
                && Extents.AreSame(Extents.Broadcast(dims, others, name), others)))
            ? number
            : null;

    /// <summary>The number that all elements of a value are; null where they are several, or not known.</summary>
    private static float? Number(PassGraph graph, string name)
    {
        if (graph.Producer(name) is { } node && (graph.Is(node, "Expand") || graph.Is(node, "ConstantOfShape")))
        {
            return node.Operator == "Expand" ? Number(graph, node.Inputs[0])
                : node.Attributes.GetValueOrDefault("value")?.Tensor is not { } value ? 0
                : value.Type == OnnxElementType.Float32 ? graph.Decode(value).Array<float>()[0]
                : null;
        }

        return graph.IsConstant(name) && graph.Constant(name) is { ElementType: OnnxElementType.Float32, Count: > 0 } constant
            && !constant.Values<float>().ContainsAnyExcept(constant.Values<float>()[0])
            ? constant.Values<float>()[0]
            : null;
    }

    /// <summary>An operand without the number that it is multiplied by.</summary>
    private static (string Value, double Scale) Unscaled(PassGraph graph, string value, HashSet<NodeDef> matched)
    {
        var inner = new List<NodeDef>();
        var factors = Factors.Of(graph, value, inner);
        if (factors.Values is not [var only])
        {
            return (value, 1);
        }

        matched.UnionWith(inner);
        return (only, factors.Number);
    }

    private static void Emit(
        PassGraph graph, NodeDef node, string q, string k, string v, string? mask, float scale, int rank)
    {
        string output = node.Outputs[0];
        if (rank == 4)
        {
            if (Shared(graph, k) is { } keys && Shared(graph, v) is { } values)
            {
                (k, v) = (keys, values);
            }

            graph.Add("Attention", Opset, mask is null ? [q, k, v] : [q, k, v, mask], [output], node,
                InitializerDef.Float("scale", scale));
            graph.RemoveWithInputs(node);
            return;
        }

        // Heads that are part of the batch: one head each.
        string axis = graph.AddConstant(OnnxTensor.Create([1L], 1), $"{output}_axes");
        string Wide(string value) => Two(graph, "Unsqueeze", value, axis);
        string result = graph.Fresh(output);
        mask = mask is not null && graph.Shapes.Rank(mask) == 3 ? Wide(mask) : mask;
        string[] inputs = [Wide(q), Wide(k), Wide(v)];
        graph.Add("Attention", Opset, mask is null ? inputs : [.. inputs, mask], [result], node,
            InitializerDef.Float("scale", scale));
        graph.Add("Squeeze", 13, [result, axis], [output], null);
        graph.RemoveWithInputs(node);
    }

    /// <summary>Heads [B, groups, S, D] that queries share, of those repeated for each query: an axis behind that of the groups,
    /// expanded and joined with it. Null where a value is made in another way.</summary>
    private static string? Shared(PassGraph graph, string repeated)
    {
        if (graph.Producer(repeated) is not { } joined || !graph.Is(joined, "Reshape")
            || graph.Producer(joined, 0, "Expand") is not { } expanded
            || graph.Producer(expanded.Inputs[0]) is not { } apart
            || !(graph.Is(apart, "Unsqueeze") || graph.Is(apart, "Reshape"))
            || graph.Shapes.Dims(apart.Inputs[0]) is not { Length: 4 } few
            || graph.Shapes.Dims(apart.Outputs[0]) is not { Length: 5 } one
            || graph.Shapes.Dims(expanded.Outputs[0]) is not { Length: 5 } many
            || graph.Shapes.Dims(repeated) is not { Length: 4 } all)
        {
            return null;
        }

        bool fits = one[2] is { IsKnown: true, Value: 1 } && few[1].IsKnown && many[2].IsKnown && all[1].IsKnown
            && all[1].Value == few[1].Value * many[2].Value;
        int[] kept = [0, 1, 3, 4], whole = [0, 2, 3];
        fits = fits && Array.TrueForAll(few, extent => extent.IsKnown || extent.Symbol is not null)
            && kept.Select((axis, i) => one[axis] == few[i] && many[axis] == few[i]).All(same => same)
            && Array.TrueForAll(whole, axis => all[axis] == few[axis]);
        return fits ? apart.Inputs[0] : null;
    }

    private static string One(PassGraph graph, string name, string x, params ReadOnlySpan<AttributeDef> attributes)
    {
        string result = graph.Fresh(x);
        graph.Add(name, 13, [x], [result], null, attributes);
        return result;
    }

    private static string Two(PassGraph graph, string name, string x, string y)
    {
        string result = graph.Fresh(x);
        graph.Add(name, 13, [x, y], [result], null);
        return result;
    }

    private static bool IsLastAxis(PassGraph graph, NodeDef softmax, int rank) =>
        PassGraph.Int(softmax, "axis", graph.Opset(softmax) >= 13 ? -1 : 1) is var axis && (axis == -1 || axis == rank - 1);

    /// <summary>The product of queries and keys under masks and a scale.</summary>
    private static (NodeDef Product, double Scale)? Scores(
        PassGraph graph, string value, HashSet<NodeDef> matched, List<Mask> masks, int rank)
    {
        const int MostMasks = 3;
        for (int i = 0; i <= MostMasks; i++)
        {
            var inner = new List<NodeDef>();
            var factors = Factors.Of(graph, value, inner);
            if (factors.Values is not [var rest] || graph.Producer(rest) is not { } node || !graph.IsPlain(node))
            {
                return null;
            }

            if (node.Operator == "MatMul")
            {
                matched.UnionWith(inner);
                matched.Add(node);
                return (node, factors.Number);
            }

            // A scale outside of a mask is none of the scores alone.
            if (inner.Count > 0 || (Under(graph, node, rank) is not var (scores, mask)))
            {
                return null;
            }

            matched.Add(node);
            masks.Add(mask);
            value = scores;
        }

        return null;
    }

    /// <summary>The scores under a mask, and the mask.</summary>
    private static (string Scores, Mask Mask)? Under(PassGraph graph, NodeDef node, int rank)
    {
        bool IsMask(string name) => graph.Shapes.Rank(name) is { } its && its >= 2 && its <= rank
            && graph.Shapes.Type(name) is not OnnxElementType.Undefined;
        switch (node.Operator)
        {
            case "Add":
                // What leads to the product is scores, the other is the mask.
                int scores = LeadsToProduct(graph, node.Inputs[0]) ? 0 : 1;
                string added = node.Inputs[1 - scores];
                return LeadsToProduct(graph, node.Inputs[scores]) && IsMask(added)
                    ? (node.Inputs[scores], new Mask(added, null))
                    : null;
            case "Where" when IsMask(node.Inputs[0]):
                return Filler(graph, node.Inputs[2], node.Inputs[1]) is <= Hidden and var never
                    && LeadsToProduct(graph, node.Inputs[1])
                        ? (node.Inputs[1], new Mask(node.Inputs[0], (0, never)))
                    : Filler(graph, node.Inputs[1], node.Inputs[2]) is <= Hidden and var hidden
                    && LeadsToProduct(graph, node.Inputs[2])
                        ? (node.Inputs[2], new Mask(node.Inputs[0], (hidden, 0)))
                    : null;
            default:
                return null;
        }
    }

    private static bool LeadsToProduct(PassGraph graph, string value)
    {
        // Through at most two masks and the scale.
        for (int i = 0; i < 6 && graph.IsReadOnce(value) && graph.Producer(value) is { } node && graph.IsPlain(node); i++)
        {
            switch (node.Operator)
            {
                case "MatMul":
                    return true;
                case "Mul" or "Div" or "Add" or "Where" when node.Inputs.Count > 1:
                    int next = node.Operator == "Where" && Number(graph, node.Inputs[1]) is null ? 1
                        : node.Operator == "Where" ? 2 : 0;
                    value = graph.IsConstant(node.Inputs[next]) || !graph.IsReadOnce(node.Inputs[next]) ? node.Inputs[1]
                        : node.Inputs[next];
                    break;
                default:
                    return false;
            }
        }

        return false;
    }

    /// <summary>Whether extents that are known are those of an attention: equal batches, and heads that one of values and keys
    /// may serve.</summary>
    private static bool MayBeAttention(DimensionDef[] q, DimensionDef[] turned, DimensionDef[] v)
    {
        static bool Differ(DimensionDef a, DimensionDef b) => a.IsKnown && b.IsKnown && a != b;
        if (Differ(q[0], turned[0]) || Differ(q[0], v[0]) || Differ(q[^1], turned[^2]) || Differ(turned[^1], v[^2]))
        {
            return false;
        }

        return q.Length == 3 || (q[1] == turned[1] && q[1] == v[1]) || (turned[1].Value == 1 && v[1].Value == 1);
    }

    /// <summary>What is added to the scores: a value, or one of two numbers where another value is true or false.</summary>
    private readonly record struct Mask(string Value, (float True, float False)? Choice)
    {
        public string Of(PassGraph graph)
        {
            if (Choice is not var (yes, no))
            {
                return Value;
            }

            string result = graph.Fresh(Value);
            graph.Add("Where", 9,
                [
                    Value, graph.AddConstant(OnnxTensor.Create([yes]), Value), graph.AddConstant(OnnxTensor.Create([no]), Value),
                ],
                [result], null);
            return result;
        }
    }
}
