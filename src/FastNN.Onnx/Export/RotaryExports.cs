using FastNN.Ops;

namespace FastNN.Onnx.Export;

/// <summary>Rotations by positions, which the standard has from opset 23 on, as products with cosines and sines.</summary>
internal static class RotaryExports
{
    public static void Write(ExportCall call)
    {
        var op = (RotaryOp)call.Op;
        Emitter e = call.Emit;
        Shape x = call.X.Shape;
        int time = x.Rank + op.TimeAxis, inner = -op.TimeAxis - 2;
        string form = call.X.Plain;
        bool rotatesAll = op.Rotated < 0 || (inner == 1 && op.Rotated == x[time + 1]);
        if (!rotatesAll && inner != 1)
        {
            throw call.Refuse("some of the rows of a position are rotated only where one axis counts them");
        }

        (string cosines, string sines) = Angles(call, op, time, inner);
        Shape rotatedShape = x;
        string turned = form;
        if (!rotatesAll)
        {
            turned = e.Slice(form, time + 1, 0, op.Rotated);
            int[] extents = x.ToArray();
            extents[time + 1] = op.Rotated;
            rotatedShape = new Shape(extents);
        }

        turned = Turn(call, turned, rotatedShape, cosines, sines, op.Interleaved);
        call.Plain(rotatesAll ? turned : e.Concat(time + 1, turned, e.Slice(form, time + 1, op.Rotated, long.MaxValue)));
    }

    /// <summary>Cosines and sines of each position, beside the axes of x.</summary>
    private static (string Cosines, string Sines) Angles(ExportCall call, RotaryOp op, int time, int inner)
    {
        Emitter e = call.Emit;
        Shape x = call.X.Shape;
        bool perExample = call.InputCount > 2 && call.Input(2).Shape.Rank == 2;
        string table = call.Input(1).Plain, rows;
        if (call.InputCount > 2)
        {
            rows = e.Add("Gather", [table, call.Input(2).Plain], Emitter.Attribute("axis", 0));
        }
        else
        {
            string end = call.Exporter.Extent(x[time]);
            rows = e.Op(
                "Slice", table, e.Longs(op.Offset), op.Offset == 0 ? end : e.Op("Add", end, e.Longs(op.Offset)), e.Longs(0));
        }

        // [T, D] or [B, T, D], and axes of extent 1 where x has others.
        int own = perExample ? 2 : 1;
        long[] ones =
        [
            .. perExample ? Enumerable.Range(1, time - 1).Select(axis => (long)axis) : [],
            .. Enumerable.Range(perExample ? time + 1 : own, inner).Select(axis => (long)axis),
        ];
        rows = e.Unsqueeze(rows, ones);
        int last = own + ones.Length, half = x[-1] / 2;
        return (e.Slice(rows, last, 0, half), e.Slice(rows, last, half, long.MaxValue));
    }

    private static string Turn(ExportCall call, string x, Shape shape, string cosines, string sines, bool interleaved)
    {
        Emitter e = call.Emit;
        int last = shape.Rank - 1, half = shape[-1] / 2;
        (string a, string b) = interleaved
            ? (e.Slice(x, last, 0, long.MaxValue, 2), e.Slice(x, last, 1, long.MaxValue, 2))
            : (e.Slice(x, last, 0, half), e.Slice(x, last, half, long.MaxValue));
        string first = e.Op("Sub", e.Op("Mul", a, cosines), e.Op("Mul", b, sines));
        string second = e.Op("Add", e.Op("Mul", b, cosines), e.Op("Mul", a, sines));
        if (!interleaved)
        {
            return e.Concat(last, first, second);
        }

        string pairs = e.Concat(last + 1, e.Unsqueeze(first, last + 1), e.Unsqueeze(second, last + 1));
        return call.Exporter.Reshape(pairs, new Shape([.. shape[..^1], half, 2]), shape);
    }
}
