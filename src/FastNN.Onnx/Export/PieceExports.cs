using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Pieces of tensors: cut out, joined, padded, turned.</summary>
internal static class PieceExports
{
    public static void Concat(ExportCall call)
    {
        int axis = call.Type().Shape.NormalizeAxis(((ConcatOp)call.Op).Axis);
        ExportValue[] inputs = [.. Enumerable.Range(0, call.InputCount).Select(call.Input)];
        if (call.Type().Shape.Rank >= 3 && Array.Exists(inputs, input => input.IsFirst))
        {
            call.First(call.Emit.Concat(
                Array.Find(inputs, input => input.IsFirst)!.Inside(axis), Array.ConvertAll(inputs, input => input.First)));
        }
        else
        {
            call.Plain(call.Emit.Concat(axis, Array.ConvertAll(inputs, input => input.Plain)));
        }
    }

    public static void Split(ExportCall call)
    {
        var op = (SplitOp)call.Op;
        ExportValue x = call.X;
        int axis = Along(x, op.Axis);
        string[] parts = call.Emit.AddMany(
            "Split", [Form(x), call.Emit.Longs(Array.ConvertAll(op.Sizes.Items, size => (long)size))], op.Sizes.Items.Length,
            Attribute("axis", axis));
        for (int i = 0; i < parts.Length; i++)
        {
            Put(call, x, parts[i], i);
        }
    }

    public static void Slice(ExportCall call)
    {
        var op = (SliceOp)call.Op;
        ExportValue x = call.X;
        string end = op.IsExact && Dim.IsSymbol(op.Stop) ? call.Exporter.Extent(op.Stop) : call.Emit.Longs(Bound(op.Stop));
        Put(call, x, call.Emit.Op(
            "Slice", Form(x), call.Emit.Longs(Bound(op.Start)), end, call.Emit.Longs(Along(x, op.Axis)),
            call.Emit.Longs(op.Step)));
    }

    public static void Flip(ExportCall call)
    {
        ExportValue x = call.X;
        int[] axes = ((FlipOp)call.Op).Axes.Items;
        if (axes.Length == 0)
        {
            call.Outputs[0] = x;
            return;
        }

        string Each(long value) => call.Emit.Longs([.. Enumerable.Repeat(value, axes.Length)]);
        Put(call, x, call.Emit.Op(
            "Slice", Form(x), Each(-1), Each(long.MinValue), call.Emit.Longs([.. axes.Select(axis => (long)Along(x, axis))]),
            Each(-1)));
    }

    public static void Roll(ExportCall call)
    {
        var op = (RollOp)call.Op;
        ExportValue x = call.X;
        string rolled = Form(x);
        for (int i = 0; i < op.Axes.Items.Length; i++)
        {
            int axis = Along(x, op.Axes.Items[i]), extent = x.Shape[op.Axes.Items[i]], shift = op.Shifts.Items[i];
            shift = Dim.IsSymbol(extent) || extent == 0 ? shift : shift % extent;
            if (shift != 0)
            {
                rolled = call.Emit.Concat(
                    axis, call.Emit.Slice(rolled, axis, -shift, long.MaxValue), call.Emit.Slice(rolled, axis, 0, -shift));
            }
        }

        Put(call, x, rolled);
    }

    public static void Pad(ExportCall call)
    {
        var op = (PadOp)call.Op;
        ExportValue x = call.X;
        int rank = x.Rank;
        var pads = new long[2 * rank];
        for (int i = 0; i < op.Pads.Items.Length; i += 2)
        {
            int axis = Along(x, -1 - (i / 2));
            (pads[axis], pads[rank + axis]) = (op.Pads.Items[i], op.Pads.Items[i + 1]);
        }

        // What is cut off goes first: the other modes are of what remains.
        string form = Form(x);
        for (int axis = 0; axis < rank; axis++)
        {
            if (op.Mode != PadMode.Constant && (pads[axis] < 0 || pads[rank + axis] < 0))
            {
                throw call.Refuse("ONNX cuts off only where it pads with a constant");
            }

            if (op.Mode == PadMode.Circular)
            {
                string before = call.Emit.Slice(form, axis, -pads[axis], long.MaxValue);
                string behind = call.Emit.Slice(form, axis, 0, pads[rank + axis]);
                string[] parts = [.. new[] { (before, pads[axis]), (form, 1), (behind, pads[rank + axis]) }
                    .Where(part => part.Item2 != 0).Select(part => part.Item1)];
                form = call.Emit.Concat(axis, parts);
            }
        }

        Put(call, x, op.Mode switch
        {
            PadMode.Circular => form,
            PadMode.Constant => call.Emit.Op("Pad", form, call.Emit.Longs(pads), call.Emit.Number(op.Value, x.Element)),
            _ => call.Emit.Add("Pad", [form, call.Emit.Longs(pads)],
                Attribute("mode", op.Mode == PadMode.Reflect ? "reflect" : "edge")),
        });
    }

    public static void Diagonal(ExportCall call)
    {
        var op = (DiagonalOp)call.Op;
        Shape x = call.X.Shape;
        int row = x.NormalizeAxis(op.Axis1), column = x.NormalizeAxis(op.Axis2);
        if (Dim.IsSymbol(x[row]) || Dim.IsSymbol(x[column]))
        {
            throw call.Refuse("the extents of both axes must be numbers");
        }

        int[] others = [.. Enumerable.Range(0, x.Rank).Where(axis => axis != row && axis != column)];
        string last = call.Emit.Transpose(call.X.Plain, [.. others, row, column]);
        Shape matrices = new([.. others.Select(axis => x[axis]), x[row], x[column]]);
        Shape folded = new([.. others.Select(axis => x[axis]), x[row] * x[column]]);
        int count = call.Type().Shape[-1];
        long first = op.Offset >= 0 ? op.Offset : -(long)op.Offset * x[column];
        long[] places = [.. Enumerable.Range(0, count).Select(i => first + (i * (x[column] + 1L)))];
        call.Plain(call.Emit.Add(
            "Gather", [call.Exporter.Reshape(last, matrices, folded), call.Emit.Longs(places)],
            Attribute("axis", others.Length)));
    }

    public static void Trilu(ExportCall call)
    {
        var op = (TriluOp)call.Op;
        call.Plain(call.Emit.Add(
            "Trilu", [call.X.Plain, call.Emit.Long(op.Diagonal)], Attribute("upper", op.Upper ? 1 : 0)));
    }

    /// <summary>Columns of a flattened image have no place of their own along its last axis.</summary>
    private static string Form(ExportValue x) => x.IsFirst ? x.First : x.Plain;

    private static int Along(ExportValue x, int axis) => x.Inside(axis);

    private static void Put(ExportCall call, ExportValue x, string name, int output = 0)
    {
        if (x.IsFirst)
        {
            call.First(name, output);
        }
        else
        {
            call.Plain(name, output);
        }
    }

    private static long Bound(int bound) => bound switch
    {
        int.MaxValue => long.MaxValue,
        int.MinValue => long.MinValue,
        _ => bound,
    };
}
