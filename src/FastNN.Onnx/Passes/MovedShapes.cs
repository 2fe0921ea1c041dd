using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>Shapes behind operators that move elements or sum them up along axes.</summary>
internal static class MovedShapes
{
    public static DimensionDef[]? Of(
        PassGraph graph, PassShapes shapes, NodeDef node, DimensionDef[]?[] inputs, string output)
    {
        DimensionDef[]? x = inputs.Length > 0 ? inputs[0] : null;
        switch (node.Operator)
        {
            case "Reshape":
                return graph.Opset(node) < 5 || node.Inputs.Count < 2 ? null
                    : shapes.Integers(node.Inputs[1]) is { } wanted
                        ? Extents.Reshape(x, wanted, PassGraph.Int(node, "allowzero", 0) != 0, output)
                        : inputs[1] is [{ IsKnown: true, Value: < 16 and var rank }] ? Unknown((int)rank, output)
                        : null;
            case "Resize" or "Upsample" or "Tile" or "DepthToSpace" or "SpaceToDepth" or "ConvTranspose":
                return Unknown(x!.Length, output);
            case "Range":
                return Unknown(1, output);
            case "Transpose":
                return Axes.Permutation(node, x!.Length) is { } order ? Array.ConvertAll(order, axis => x[axis]) : null;
            case "Flatten":
                // From -rank to rank, both of which are places between axes.
                long given = PassGraph.Int(node, "axis", 1), place = given < 0 ? given + x!.Length : given;
                return place >= 0 && place <= x!.Length
                    ? [Folded(x[..(int)place], output, 0), Folded(x[(int)place..], output, 1)]
                    : null;
            case "Unsqueeze":
                return graph.Longs(node, graph.Opset(node) >= 13 ? 1 : -1, "axes") is { } added
                    && Axes.All(added, x!.Length + added.Length) is { } ones
                    ? Unsqueezed(x, ones)
                    : null;
            case "Squeeze":
                return graph.Longs(node, graph.Opset(node) >= 13 ? 1 : -1, "axes") is { } dropped
                    && Axes.All(dropped, x!.Length) is { } gone
                    ? [.. x.Where((_, axis) => !gone.Contains(axis))]
                    : null;
            case "Concat":
                return Concat(node, inputs, output);
            case "Gather":
                return inputs[1] is { } places && Axes.Of(PassGraph.Int(node, "axis", 0), x!.Length) is { } along
                    ? [.. x[..along], .. places, .. x[(along + 1)..]]
                    : null;
            case "Slice":
                return Slice(graph, node, x!, output);
            case "Pad":
                return Pad(graph, node, x!, output);
            case "ArgMax" or "ArgMin":
                return Reduced(node, x!, Axes.Of(PassGraph.Int(node, "axis", 0), x!.Length) is { } one ? [one] : null);
            default:
                return node.Operator.StartsWith("Reduce", StringComparison.Ordinal)
                    ? Reduced(node, x!, Axes.Reduced(graph, node, x!.Length))
                    : null;
        }
    }

    public static DimensionDef[] Unknown(int rank, string output) =>
        [.. Enumerable.Range(0, rank).Select(axis => Extents.Unknown(output, axis))];

    private static DimensionDef Folded(DimensionDef[] dims, string output, int axis) =>
        Extents.Quotient(dims, []) ?? Extents.Unknown(output, axis);

    private static DimensionDef[] Unsqueezed(DimensionDef[] x, int[] ones)
    {
        var dims = new DimensionDef[x.Length + ones.Length];
        for (int i = 0, from = 0; i < dims.Length; i++)
        {
            dims[i] = ones.Contains(i) ? Extents.Known(1) : x[from++];
        }

        return dims;
    }

    private static DimensionDef[]? Concat(NodeDef node, DimensionDef[]?[] inputs, string output)
    {
        if (Array.Exists(inputs, part => part is null || part.Length != inputs[0]!.Length)
            || Axes.Of(PassGraph.Int(node, "axis", 1), inputs[0]!.Length) is not { } axis)
        {
            return null;
        }

        // An extent that one of them knows is that of all.
        DimensionDef[] dims = [.. inputs[0]!.Select((extent, i) => extent.IsKnown ? extent
            : Array.Find(inputs, part => part![i].IsKnown) is { } knows ? knows[i]
            : extent)];
        dims[axis] = Array.TrueForAll(inputs, part => part![axis].IsKnown)
            ? Extents.Known(inputs.Sum(part => part![axis].Value))
            : Extents.Unknown(output, axis);
        return dims;
    }

    private static DimensionDef[]? Slice(PassGraph graph, NodeDef node, DimensionDef[] x, string output)
    {
        bool old = graph.Opset(node) < 10;
        if (graph.Longs(node, old ? -1 : 1, "starts") is not { } starts || graph.Longs(node, old ? -1 : 2, "ends") is not { } ends
            || starts.Length != ends.Length)
        {
            // The axes at least, where they are known.
            int[]? cut = graph.Longs(node, old ? -1 : 3, "axes") is { } some ? Axes.All(some, x.Length) : null;
            return [.. x.Select((extent, axis) => cut?.Contains(axis) == false ? extent : Extents.Unknown(output, axis))];
        }

        long[] axes = graph.Longs(node, old ? -1 : 3, "axes")
            ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        if (axes.Length != starts.Length || Axes.All(axes, x.Length) is not { } places)
        {
            return null;
        }

        long[]? steps = node.Inputs.Count > 4 ? graph.Longs(node, 4, "steps") : [.. starts.Select(_ => 1L)];
        var dims = (DimensionDef[])x.Clone();
        for (int i = 0; i < places.Length; i++)
        {
            long extent = x[places[i]].Value;
            if (steps?[i] == 1 && starts[i] == 0 && ends[i] >= int.MaxValue)
            {
                continue;
            }

            if (steps is null || steps[i] != 1 || extent < 0)
            {
                dims[places[i]] = Extents.Unknown(output, places[i]);
                continue;
            }

            long from = Math.Clamp(starts[i] < 0 ? starts[i] + extent : starts[i], 0, extent);
            long to = Math.Clamp(ends[i] < 0 ? ends[i] + extent : ends[i], 0, extent);
            dims[places[i]] = Extents.Known(Math.Max(0, to - from));
        }

        return dims;
    }

    private static DimensionDef[]? Pad(PassGraph graph, NodeDef node, DimensionDef[] x, string output)
    {
        if (node.Inputs.Count > 3 || graph.Longs(node, graph.Opset(node) >= 11 ? 1 : -1, "pads") is not { } pads
            || pads.Length != 2 * x.Length)
        {
            return Unknown(x.Length, output);
        }

        return [.. x.Select((extent, axis) => pads[axis] == 0 && pads[axis + x.Length] == 0 ? extent
            : extent.IsKnown ? Extents.Known(extent.Value + pads[axis] + pads[axis + x.Length])
            : Extents.Unknown(output, axis))];
    }

    private static DimensionDef[]? Reduced(NodeDef node, DimensionDef[] x, int[]? axes) => axes is null ? null
        : PassGraph.Int(node, "keepdims", 1) != 0
            ? [.. x.Select((extent, axis) => axes.Contains(axis) ? Extents.Known(1) : extent)]
            : [.. x.Where((_, axis) => !axes.Contains(axis))];
}

/// <summary>Axes of nodes, as numbers from 0; null where they are not known or not within the rank.</summary>
internal static class Axes
{
    public static int? Of(long axis, int rank) => axis < -rank || axis >= rank ? null : (int)(axis < 0 ? axis + rank : axis);

    public static int[]? All(long[] axes, int rank)
    {
        var result = new int[axes.Length];
        for (int i = 0; i < axes.Length; i++)
        {
            if (Of(axes[i], rank) is not { } axis)
            {
                return null;
            }

            result[i] = axis;
        }

        return result;
    }

    /// <summary>The order of a Transpose.</summary>
    public static int[]? Permutation(NodeDef node, int rank)
    {
        if (node.Attributes.GetValueOrDefault("perm") is not { Kind: AttributeKind.Ints } perm)
        {
            return [.. Enumerable.Range(0, rank).Reverse()];
        }

        return perm.Ints.Count == rank && All([.. perm.Ints], rank) is { } order && order.Distinct().Count() == rank ? order
            : null;
    }

    /// <summary>The axes that a Reduce node sums up.</summary>
    public static int[]? Reduced(PassGraph graph, NodeDef node, int rank)
    {
        bool input = graph.Opset(node) >= (node.Operator == "ReduceSum" ? 13 : 18);
        if (graph.Longs(node, input ? 1 : -1, "axes") is { Length: > 0 } axes)
        {
            return All(axes, rank);
        }

        bool open = input ? node.Inputs.Count > 1 && node.Inputs[1].Length > 0 : node.Attributes.ContainsKey("axes");
        return open || PassGraph.Int(node, "noop_with_empty_axes", 0) != 0 ? null : [.. Enumerable.Range(0, rank)];
    }
}
