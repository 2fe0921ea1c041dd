using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Operators of indices.</summary>
internal static class IndexExports
{
    public static void Gather(ExportCall call)
    {
        Shape table = call.X.Shape, indices = call.Input(1).Shape;
        int axis = table.NormalizeAxis(((GatherOp)call.Op).Axis);

        // ONNX wants equal extents along the other axes, where ours may be smaller.
        string x = Cut(call, call.X.Plain, table, indices, axis);
        call.Plain(call.Emit.Add("GatherElements", [x, call.Input(1).Plain], Attribute("axis", axis)));
    }

    /// <summary>The first elements along every axis but one, as many as another tensor has.</summary>
    private static string Cut(ExportCall call, string x, Shape from, Shape to, int? axis)
    {
        for (int i = 0; i < from.Rank; i++)
        {
            if (i != axis && from[i] != to[i])
            {
                x = call.Emit.Op("Slice", x, call.Emit.Longs(0), call.Exporter.Extent(to[i]), call.Emit.Longs(i));
            }
        }

        return x;
    }

    public static void Select(ExportCall call) => call.Plain(call.Emit.Add(
        "Gather", [call.X.Plain, call.Input(1).Plain],
        Attribute("axis", call.X.Shape.NormalizeAxis(((IndexSelectOp)call.Op).Axis))));

    public static void Embedding(ExportCall call) => call.Plain(
        call.Emit.Add("Gather", [call.Input(1).Plain, call.X.Plain], Attribute("axis", 0)));

    public static void Scatter(ExportCall call)
    {
        var op = (ScatterOp)call.Op;
        long axis = call.X.Shape.NormalizeAxis(op.Axis);
        string updates = Cut(call, call.Input(2).Plain, call.Input(2).Shape, call.Input(1).Shape, null);
        string[] inputs = [call.X.Plain, call.Input(1).Plain, updates];
        call.Plain(op.Adds
            ? call.Emit.Add("ScatterElements", inputs, Attribute("axis", axis), Attribute("reduction", "add"))
            : call.Emit.Add("ScatterElements", inputs, Attribute("axis", axis)));
    }

    public static void OneHot(ExportCall call)
    {
        // Runtimes have it for 64-bit indices of at least one axis.
        string indices = call.X.Element == OnnxElementType.Int64
            ? call.X.Plain
            : call.Emit.Cast(call.X.Plain, OnnxElementType.Int64);
        indices = call.X.Rank == 0 ? call.Emit.Unsqueeze(indices, 0) : indices;
        int classes = ((OneHotOp)call.Op).Classes;
        string y = call.Emit.Add(
            "OneHot", [indices, call.Emit.Long(classes), call.Emit.Floats([0, 1], 2)], Attribute("axis", -1));
        call.Plain(call.X.Rank == 0 ? call.Emit.Op("Reshape", y, call.Emit.Longs(classes)) : y);
    }

    public static void Sort(ExportCall call)
    {
        var op = (SortOp)call.Op;
        string count = op.Kept is { } kept ? call.Emit.Longs(kept) : call.Exporter.Extent(call.X.Shape[-1]);
        string[] outputs = call.Emit.AddMany(
            "TopK", [call.X.Plain, count], 2, Attribute("axis", -1), Attribute("largest", op.Descending ? 1 : 0));
        call.Plain(outputs[0]);
        call.Plain(call.Emit.Cast(outputs[1], OnnxElementType.Int32), 1);
    }
}
