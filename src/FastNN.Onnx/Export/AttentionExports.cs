using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Scaled dot-product attention, which the standard has from opset 23 on, as products, softmax and masks.</summary>
internal static class AttentionExports
{
    public static void Write(ExportCall call)
    {
        var op = (ScaledDotProductOp)call.Op;
        Emitter e = call.Emit;
        (Head query, Head key, Head value) = op.Layout == AttentionLayout.Packed ? Packed(call, op) : Apart(call, op);
        int operands = op.Layout == AttentionLayout.Packed ? 1 : 3;
        float scale = op.Scale ?? (float)(1 / Math.Sqrt(query.Width));
        string scores = e.Op(
            "MatMul", e.Op("Mul", query.Name, e.Number(scale)),
            e.Transpose(Repeat(call, key, query.Heads), 0, 1, 3, 2));
        string? allowed = Allowed(call, op, query, key, operands);
        if (op.HasMask && call.Input(operands).Type.Type == DType.Float32)
        {
            scores = e.Op("Add", scores, call.Input(operands).Plain);
        }

        string weights;
        if (allowed is null)
        {
            weights = e.Add("Softmax", [scores], Attribute("axis", -1));
        }
        else
        {
            // A query that sees nothing gives 0: the second choice is for that alone.
            string masked = e.Op("Where", allowed, scores, e.Number(float.MinValue));
            weights = e.Op("Where", allowed, e.Add("Softmax", [masked], Attribute("axis", -1)), e.Number(0));
        }

        string y = e.Op("MatMul", weights, Repeat(call, value, query.Heads));
        if (op.Layout == AttentionLayout.HeadsFirst)
        {
            call.Plain(y);
            return;
        }

        y = e.Transpose(y, 0, 2, 1, 3);
        Shape rows = new(query.Batch, query.Count, query.Heads, value.Width);
        call.Plain(call.Exporter.Reshape(y, rows, call.Type().Shape));
    }

    /// <summary>An operand as [B, H, T, D].</summary>
    private readonly record struct Head(string Name, int Batch, int Heads, int Count, int Width);

    private static (Head Query, Head Key, Head Value) Apart(ExportCall call, ScaledDotProductOp op)
    {
        bool last = op.Layout == AttentionLayout.HeadsLast;
        return (Of(0), Of(1), Of(2));

        Head Of(int input)
        {
            ExportValue x = call.Input(input);
            Shape s = x.Shape;
            return last
                ? new Head(call.Emit.Transpose(x.Plain, 0, 2, 1, 3), s[0], s[2], s[1], s[3])
                : new Head(x.Plain, s[0], s[1], s[2], s[3]);
        }
    }

    private static (Head Query, Head Key, Head Value) Packed(ExportCall call, ScaledDotProductOp op)
    {
        Shape x = call.X.Shape;
        int rows = op.Heads + (2 * op.KeyHeads), width = x[2] / rows;
        string apart = call.Exporter.Reshape(call.X.Plain, x, new Shape(x[0], x[1], rows, width));
        string[] parts = call.Emit.AddMany(
            "Split", [apart, call.Emit.Longs(op.Heads, op.KeyHeads, op.KeyHeads)], 3, Attribute("axis", 2));
        return (Of(0, op.Heads), Of(1, op.KeyHeads), Of(2, op.KeyHeads));

        Head Of(int part, int heads) => new(call.Emit.Transpose(parts[part], 0, 2, 1, 3), x[0], heads, x[1], width);
    }

    /// <summary>Each head of keys or values for all queries that share it.</summary>
    private static string Repeat(ExportCall call, Head head, int heads)
    {
        if (head.Heads == heads)
        {
            return head.Name;
        }

        Emitter e = call.Emit;
        string wide = e.Op("Expand", e.Unsqueeze(head.Name, 2), e.Longs(1, 1, heads / head.Heads, 1, 1));
        Shape grouped = new(head.Batch, head.Heads, heads / head.Heads, head.Count, head.Width);
        Shape flat = new(head.Batch, heads, head.Count, head.Width);
        return call.Exporter.Reshape(wide, grouped, flat);
    }

    /// <summary>Which keys queries see, [.., Tq, Tk]; null where all see all.</summary>
    private static string? Allowed(ExportCall call, ScaledDotProductOp op, Head query, Head key, int operands)
    {
        Emitter e = call.Emit;
        string? allowed = !op.HasMask ? null
            : call.Input(operands).Type.Type == DType.Bool ? call.Input(operands).Plain
            : Finite(call, call.Input(operands));
        if (!op.HasLengths && op.Causal == CausalMask.None)
        {
            return allowed;
        }

        string keys = Range(call, key.Count);
        string? lengths = op.HasLengths
            ? e.Unsqueeze(e.Cast(call.Input(call.InputCount - 1).Plain, OnnxElementType.Int64), 1, 2, 3)
            : null;
        if (lengths is not null)
        {
            allowed = And(e, allowed, e.Op("Less", keys, lengths));
        }

        if (op.Causal != CausalMask.None)
        {
            string last = e.Unsqueeze(Range(call, query.Count), 1);
            if (op.Causal == CausalMask.LowerRight)
            {
                string valid = lengths ?? call.Exporter.Extent(key.Count);
                last = e.Op("Add", last, e.Op("Sub", valid, call.Exporter.Extent(query.Count)));
            }

            allowed = And(e, allowed, e.Op("LessOrEqual", keys, last));
        }

        return allowed;
    }

    /// <summary>A mask that is added forbids where it is minus infinity; null where that is known to be nowhere.</summary>
    private static string? Finite(ExportCall call, ExportValue mask) =>
        mask.Constant is { } constant && !Array.Exists(constant.Floats, float.IsNegativeInfinity)
            ? null
            : call.Emit.Op("GreaterOrEqual", mask.Plain, call.Emit.Number(float.MinValue));

    private static string And(Emitter e, string? a, string b) => a is null ? b : e.Op("And", a, b);

    private static string Range(ExportCall call, int extent) => Dim.IsSymbol(extent)
        ? call.Emit.Op("Range", call.Emit.Long(0), call.Emit.Op("Squeeze", call.Exporter.Extent(extent)), call.Emit.Long(1))
        : call.Emit.Longs([.. Enumerable.Range(0, extent).Select(i => (long)i)]);
}
