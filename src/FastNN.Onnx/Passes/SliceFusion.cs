using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>
/// Makes one Split of the slices that cut a value to pieces, one Slice of two, a Slice of a Gather of neighbors, and nothing of a
/// Split whose parts are joined again.
/// </summary>
internal sealed class SliceFusion : IOnnxPass
{
    private const long SplitOpset = 13;

    public string Name => "slices";

    public string Does => "makes Split of slices that cut a value to pieces, Slice of Gather, one Slice of two";

    public void Run(PassGraph graph, PassNotes notes)
    {
        foreach (NodeDef node in graph.Nodes)
        {
            if (!graph.IsLive(node) || !graph.IsPlain(node))
            {
                continue;
            }

            switch (node.Operator)
            {
                case "Gather":
                    GatherToSlice(graph, node, notes);
                    break;
                case "Slice":
                    SliceOfSlice(graph, node, notes);
                    break;
                case "Concat":
                    JoinAgain(graph, node, notes);
                    break;
            }
        }

        if (graph.Newest >= SplitOpset)
        {
            foreach (NodeDef node in graph.Nodes)
            {
                if (graph.IsLive(node) && Cut.Of(graph, node) is { } cut)
                {
                    ToSplit(graph, cut, notes);
                }
            }
        }
    }

    /// <summary>A Slice along one axis, forwards in steps of one.</summary>
    private sealed record Cut(NodeDef Node, int Axis, long Start, long Stop)
    {
        public static Cut? Of(PassGraph graph, NodeDef node)
        {
            if (!graph.Is(node, "Slice") || graph.Opset(node) < 10 || graph.Longs(node, 1, "") is not [var start]
                || graph.Longs(node, 2, "") is not [var stop] || start < 0
                || (node.Inputs.Count > 4 && node.Inputs[4].Length > 0 && graph.Longs(node, 4, "") is not [1])
                || graph.Shapes.Dims(node.Inputs[0]) is not { } dims)
            {
                return null;
            }

            bool open = node.Inputs.Count > 3 && node.Inputs[3].Length > 0;
            if ((open ? graph.Longs(node, 3, "") : [0]) is not [var given] || Axes.Of(given, dims.Length) is not { } axis)
            {
                return null;
            }

            long extent = dims[axis].IsKnown ? dims[axis].Value : long.MaxValue;
            return stop < 0 && !dims[axis].IsKnown ? null
                : new Cut(node, axis, Math.Min(start, extent), Math.Min(stop < 0 ? stop + extent : stop, extent)) is var cut
                    && cut.Stop > cut.Start
                    ? cut
                    : null;
        }
    }

    private static void Replace(PassGraph graph, NodeDef node, string source, int axis, long start, long stop)
    {
        string output = node.Outputs[0];
        string Numbers(long value, string name) =>
            graph.AddConstant(OnnxTensor.Create([value], 1), $"{output}_{name}");
        graph.Add("Slice", Math.Max(10, graph.Opset(node)),
            [source, Numbers(start, "starts"), Numbers(stop, "ends"), Numbers(axis, "axes")], [output], node);
        graph.RemoveWithInputs(node);
    }

    private static void GatherToSlice(PassGraph graph, NodeDef node, PassNotes notes)
    {
        if (graph.Newest < 10 || graph.IsConstant(node.Inputs[0]) || graph.ConstantDims(node.Inputs[1]) is not { Count: 1 }
            || graph.Longs(node, 1, "") is not { Length: > 0 } places || graph.Shapes.Dims(node.Inputs[0]) is not { } dims
            || Axes.Of(PassGraph.Int(node, "axis", 0), dims.Length) is not { } axis || places[0] < 0
            || places[^1] >= dims[axis].Value || places.Where((place, i) => place != places[0] + i).Any())
        {
            return;
        }

        notes.Add(node);
        Replace(graph, node, node.Inputs[0], axis, places[0], places[^1] + 1);
    }

    private static void SliceOfSlice(PassGraph graph, NodeDef node, PassNotes notes)
    {
        if (Cut.Of(graph, node) is { } outer && graph.IsReadOnce(node.Inputs[0]) && graph.Producer(node, 0, "Slice") is { } before
            && Cut.Of(graph, before) is { } inner && inner.Axis == outer.Axis)
        {
            notes.Add(before);
            string source = before.Inputs[0];
            Replace(graph, node, source, outer.Axis, inner.Start + outer.Start,
                Math.Min(inner.Stop, outer.Stop == long.MaxValue ? long.MaxValue : inner.Start + outer.Stop));
        }
    }

    private static void JoinAgain(PassGraph graph, NodeDef node, PassNotes notes)
    {
        if (graph.Producer(node, 0, "Split") is { } split && split.Outputs.SequenceEqual(node.Inputs)
            && split.Outputs.TrueForAll(graph.IsReadOnce) && graph.Shapes.Rank(split.Inputs[0]) is { } rank
            && Axes.Of(PassGraph.Int(split, "axis", 0), rank) == Axes.Of(PassGraph.Int(node, "axis", 1), rank)
            && graph.CanReplace(node.Outputs[0], split.Inputs[0]))
        {
            notes.Add(node);
            notes.Add(split);
            graph.Replace(node, node.Outputs[0], split.Inputs[0]);
            graph.Remove(split);
        }
    }

    private static void ToSplit(PassGraph graph, Cut first, PassNotes notes)
    {
        string source = first.Node.Inputs[0];
        if (first.Start != 0 || graph.Shapes.Dims(source)![first.Axis] is not { IsKnown: true, Value: var extent })
        {
            return;
        }

        var cuts = new List<Cut> { first };
        while (cuts[^1].Stop < extent)
        {
            Cut? next = graph.Consumers(source).Where(consumer => consumer.Inputs[0] == source)
                .Select(consumer => Cut.Of(graph, consumer))
                .FirstOrDefault(cut => cut is not null && cut.Axis == first.Axis && cut.Start == cuts[^1].Stop);
            if (next is null)
            {
                return;
            }

            cuts.Add(next);
        }

        if (cuts.Count < 2)
        {
            return;
        }

        string sizes = graph.AddConstant(
            OnnxTensor.Create([.. cuts.Select(cut => cut.Stop - cut.Start)], cuts.Count), $"{source}_split");
        foreach (Cut cut in cuts)
        {
            notes.Add(cut.Node);
            graph.Remove(cut.Node);
        }

        graph.Add("Split", SplitOpset, [source, sizes], [.. cuts.Select(cut => cut.Node.Outputs[0])], first.Node,
            InitializerDef.Int("axis", first.Axis));
    }
}
