using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>A division by a root: what is divided, what is under the root, and what is added there.</summary>
/// <param name="Numerator">What is divided.</param>
/// <param name="Under">What is under the root but for epsilon.</param>
/// <param name="Epsilon">Added under the root.</param>
internal readonly record struct RootQuotient(string Numerator, string Under, float Epsilon)
{
    /// <summary>x / sqrt(m + e), as it is written with Div, Reciprocal or Pow.</summary>
    public static RootQuotient? Of(PassGraph graph, NodeDef node, ICollection<NodeDef> matched)
    {
        if (graph.Is(node, "Div"))
        {
            return Factors.Inside(graph, node.Inputs[1], "Sqrt", matched) is { } under
                ? Of(graph, node.Inputs[0], under, matched)
                : null;
        }

        if (!graph.Is(node, "Mul"))
        {
            return null;
        }

        for (int i = 0; i < 2; i++)
        {
            var inner = new List<NodeDef>();
            if (UnderRoot(graph, node.Inputs[i], inner) is { } under && Of(graph, node.Inputs[1 - i], under,
                inner) is { } quotient)
            {
                foreach (NodeDef one in inner)
                {
                    matched.Add(one);
                }

                return quotient;
            }
        }

        return null;
    }

    /// <summary>What an inverse root is of.</summary>
    private static string? UnderRoot(PassGraph graph, string value, List<NodeDef> inner)
    {
        if (graph.Producer(value) is not { } node || !graph.IsPlain(node))
        {
            return null;
        }

        inner.Add(node);
        return node.Operator switch
        {
            "Reciprocal" => Factors.Inside(graph, node.Inputs[0], "Sqrt", inner),
            "Div" when graph.Scalar(node, 0) is 1 => Factors.Inside(graph, node.Inputs[1], "Sqrt", inner),
            "Pow" when graph.Scalar(node, 1) is -0.5f => node.Inputs[0],
            _ => null,
        };
    }

    private static RootQuotient? Of(PassGraph graph, string numerator, string under, ICollection<NodeDef> matched)
    {
        if (graph.Producer(under) is not { } add || !graph.Is(add, "Add"))
        {
            return null;
        }

        for (int i = 0; i < 2; i++)
        {
            if (graph.Scalar(add, i) is { } epsilon and >= 0)
            {
                matched.Add(add);
                return new RootQuotient(numerator, add.Inputs[1 - i], epsilon);
            }
        }

        return null;
    }

    /// <summary>The value whose squares a ReduceMean averages, with its axes; null where it is none.</summary>
    public static (string Value, int[] Axes)? MeanOfSquares(PassGraph graph, string mean, ICollection<NodeDef> matched)
    {
        if (Mean(graph, mean, matched) is not var (square, axes) || graph.Producer(square) is not { } node)
        {
            return null;
        }

        matched.Add(node);
        return (graph.Is(node, "Pow") && graph.Scalar(node, 1) is 2) || (graph.Is(node, "Mul") && node.Inputs[0] == node.Inputs[1])
            ? (node.Inputs[0], axes)
            : null;
    }

    /// <summary>What a ReduceMean averages along the last axes, which stay as 1; null where it is none.</summary>
    public static (string Value, int[] Axes)? Mean(PassGraph graph, string mean, ICollection<NodeDef> matched)
    {
        if (graph.Producer(mean) is not { } node || !graph.Is(node, "ReduceMean") || PassGraph.Int(node, "keepdims", 1) == 0
            || graph.Shapes.Rank(node.Inputs[0]) is not { } rank || Axes.Reduced(graph, node, rank) is not { Length: > 0 } axes)
        {
            return null;
        }

        Array.Sort(axes);
        matched.Add(node);
        return axes[^1] == rank - 1 && axes[0] == rank - axes.Length && axes.Distinct().Count() == axes.Length
            ? (node.Inputs[0], axes)
            : null;
    }
}

/// <summary>The factor and the addend behind a normalization, where they have the extents of its last axes.</summary>
internal static class AffineTail
{
    /// <summary>The constant operand of a node behind a value that has these extents; null where it is none.</summary>
    public static (NodeDef Node, string Name)? After(PassGraph graph, string value, string name, long[] extents)
    {
        if (!graph.IsReadOnce(value) || graph.Consumers(value)[0] is not { } node || !graph.Is(node, name))
        {
            return null;
        }

        string other = node.Inputs[node.Inputs[0] == value ? 1 : 0];
        if (graph.ConstantDims(other) is not { } dims)
        {
            return null;
        }

        // Ones in front say nothing, unless there are more than the value has axes.
        int extra = dims.Count - extents.Length;
        if (extra < 0 || dims.Count > graph.Shapes.Rank(value) || dims.Take(extra).Any(extent => extent != 1)
            || !dims.Skip(extra).SequenceEqual(extents))
        {
            return null;
        }

        return (node, extra == 0 ? other
            : graph.AddConstant(graph.Constant(other)!.WithDims([.. extents.Select(extent => (int)extent)]), other));
    }

    /// <summary>The known extents of the last axes; null where one is not known.</summary>
    public static long[]? Extents(PassGraph graph, string value, int axes) =>
        graph.Shapes.Dims(value) is { } dims && dims.Length >= axes && dims[^axes..].All(extent => extent.Value > 0)
            ? Array.ConvertAll(dims[^axes..], extent => extent.Value)
            : null;

    /// <summary>The factor behind a normalized value, with the node that multiplies by it; ones where there is none.</summary>
    public static (NodeDef Last, string Scale) Scale(PassGraph graph, NodeDef node, long[] extents)
    {
        if (After(graph, node.Outputs[0], "Mul", extents) is var (factor, gamma))
        {
            return (factor, gamma);
        }

        int[] dims = Array.ConvertAll(extents, extent => (int)extent);
        var ones = new float[OnnxTensor.CountOf(dims)];
        Array.Fill(ones, 1);
        return (node, graph.AddConstant(OnnxTensor.Create(ones, dims), $"{node.Outputs[0]}_scale"));
    }
}

/// <summary>Finds layer normalization (Ba et al., 2016) in its pieces: mean, deviation, variance, root, factor, addend.</summary>
internal sealed class LayerNormalizationFusion : IOnnxPass
{
    private const long Opset = 17;

    public string Name => "layer-normalization";

    public string Does => "finds LayerNormalization in its pieces";

    public void Run(PassGraph graph, PassNotes notes)
    {
        if (graph.Newest < Opset)
        {
            return;
        }

        foreach (NodeDef node in graph.Nodes)
        {
            var matched = new HashSet<NodeDef> { node };
            if (!graph.IsLive(node) || RootQuotient.Of(graph, node, matched) is not { } quotient
                || RootQuotient.MeanOfSquares(graph, quotient.Under, matched) is not var (deviation, axes)
                || deviation != quotient.Numerator || graph.Producer(deviation) is not { } difference
                || !graph.Is(difference, "Sub") || RootQuotient.Mean(graph, difference.Inputs[1], matched) is not var (x, first)
                || difference.Inputs[0] != x || !first.SequenceEqual(axes)
                || graph.Shapes.Type(x) != OnnxElementType.Float32
                || AffineTail.Extents(graph, x, axes.Length) is not { } extents)
            {
                continue;
            }

            matched.Add(difference);
            if (!graph.AreClosed(matched, node))
            {
                continue;
            }

            (NodeDef last, string scale) = AffineTail.Scale(graph, node, extents);
            string? bias = null;
            if (AffineTail.After(graph, last.Outputs[0], "Add", extents) is var (addend, beta))
            {
                (last, bias) = (addend, beta);
            }

            notes.Add(node);
            graph.Add("LayerNormalization", Opset, bias is null ? [x, scale] : [x, scale, bias], [last.Outputs[0]], node,
                InitializerDef.Int("axis", -axes.Length), InitializerDef.Float("epsilon", quotient.Epsilon));
            graph.RemoveWithInputs(last);
        }
    }
}

/// <summary>Finds RMS normalization (Zhang and Sennrich, 2019) in its pieces.</summary>
internal sealed class RmsNormalizationFusion : IOnnxPass
{
    private const long Opset = 23;

    public string Name => "rms-normalization";

    public string Does => "finds RMSNormalization in its pieces";

    public void Run(PassGraph graph, PassNotes notes)
    {
        if (graph.Newest < Opset)
        {
            return;
        }

        foreach (NodeDef node in graph.Nodes)
        {
            var matched = new HashSet<NodeDef> { node };
            if (!graph.IsLive(node) || RootQuotient.Of(graph, node, matched) is not { } quotient
                || RootQuotient.MeanOfSquares(graph, quotient.Under, matched) is not var (x, axes) || x != quotient.Numerator
                || !graph.AreClosed(matched, node) || graph.Shapes.Type(x) != OnnxElementType.Float32
                || AffineTail.Extents(graph, x, axes.Length) is not { } extents)
            {
                continue;
            }

            (NodeDef last, string scale) = AffineTail.Scale(graph, node, extents);
            notes.Add(node);
            graph.Add("RMSNormalization", Opset, [x, scale], [last.Outputs[0]], node,
                InitializerDef.Int("axis", -axes.Length), InitializerDef.Float("epsilon", quotient.Epsilon));
            graph.RemoveWithInputs(last);
        }
    }
}
