using FastNN.Kernels;
using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Folds along axes, sums up to each place, and softmax.</summary>
internal static class ReduceExports
{
    public static void Write(ExportCall call)
    {
        var op = (ReduceOp)call.Op;
        ExportValue x = call.X;
        bool[] reduced = Reduced(x.Shape, op.Axes);

        // Without the first axis what is left is no image.
        bool first = x.IsFirst && !reduced[0];
        Put(call, first, reduced, op.KeepDims, Fold(
            call, op, first ? x.First : x.Plain, Axes(x, reduced, first), op.KeepDims, Terms(call, x.Shape, reduced)));
    }

    public static void Integers(ExportCall call)
    {
        var op = (ReduceIntegersOp)call.Op;
        ExportValue x = call.X;
        bool[] reduced = Reduced(x.Shape, op.Axes);
        (string name, OnnxElementType inside) = op.Fold switch
        {
            IntegerFold.Sum => ("ReduceSum", OnnxElementType.Int64),
            IntegerFold.Prod => ("ReduceProd", OnnxElementType.Int64),
            IntegerFold.Min or IntegerFold.All => ("ReduceMin", OnnxElementType.Int32),
            _ => ("ReduceMax", OnnxElementType.Int32),
        };
        string numbers = x.Plain;
        if (op.Fold is IntegerFold.Any or IntegerFold.All)
        {
            numbers = x.Element == OnnxElementType.Bool ? numbers : call.Emit.Cast(numbers, OnnxElementType.Bool);
        }

        numbers = call.Emit.Cast(numbers, inside);
        long[] axes = Axes(x, reduced, isFirst: false);
        if (axes.Length == 0)
        {
            (numbers, axes) = (call.Emit.Unsqueeze(numbers, x.Rank), [x.Rank]);
        }

        string y = call.Emit.Reduce(name, numbers, axes, op.KeepDims && op.Axes != 0);
        var type = (OnnxElementType)call.Type().Type.Traits().Onnx;
        call.Plain(type == inside ? y : call.Emit.Cast(y, type));
    }

    public static void Arg(ExportCall call)
    {
        var op = (ArgExtremeOp)call.Op;
        call.Plain(call.Emit.Add(
            op.Largest ? "ArgMax" : "ArgMin", [call.X.Plain], Attribute("axis", call.X.Shape.NormalizeAxis(op.Axis)),
            Attribute("keepdims", op.KeepDims ? 1 : 0)));
    }

    public static void Scan(ExportCall call)
    {
        var op = (ScanOp)call.Op;
        if (op.Function != ScanFunction.Sum)
        {
            throw call.Refuse("ONNX has products up to each place from opset 26 on");
        }

        call.Plain(call.Emit.Add(
            "CumSum", [call.X.Plain, call.Emit.Long(call.X.Shape.NormalizeAxis(op.Axis))],
            Attribute("exclusive", op.Exclusive ? 1 : 0), Attribute("reverse", op.Reverse ? 1 : 0)));
    }

    public static void Softmax(ExportCall call)
    {
        var op = (SoftmaxOp)call.Op;
        ExportValue x = call.X;
        string form = x.IsFirst ? x.First : x.Plain;
        string y = call.Emit.Add(
            op.Logarithm ? "LogSoftmax" : "Softmax", [form], Attribute("axis", x.Inside(x.Shape.NormalizeAxis(op.Axis))));
        if (x.IsFirst)
        {
            call.First(y);
        }
        else
        {
            call.Plain(y);
        }
    }

    private static string Fold(ExportCall call, ReduceOp op, string x, long[] axes, bool keepDims, string terms)
    {
        Emitter e = call.Emit;
        if (axes.Length == 0)
        {
            // No axis means all to ONNX, and none here: then one of extent 1 is folded.
            (x, axes, keepDims) = (e.Unsqueeze(x, call.X.Rank), [call.X.Rank], false);
        }

        string? simple = op.Function switch
        {
            ReduceFunction.Sum => "ReduceSum",
            ReduceFunction.Mean => "ReduceMean",
            ReduceFunction.Max => "ReduceMax",
            ReduceFunction.Min => "ReduceMin",
            ReduceFunction.Prod => "ReduceProd",
            ReduceFunction.LogSumExp => "ReduceLogSumExp",
            ReduceFunction.Norm1 => "ReduceL1",
            ReduceFunction.Norm2 => "ReduceL2",
            _ => null,
        };
        if (simple is not null)
        {
            return e.Reduce(simple, x, axes, keepDims);
        }

        string centered = e.Op("Sub", x, e.Reduce("ReduceMean", x, axes, keepDims: true));
        string sum = e.Reduce("ReduceSum", e.Op("Mul", centered, centered), axes, keepDims);
        string variance = e.Op("Div", sum, e.Op("Max", e.Op("Sub", terms, e.Number(op.Correction)), e.Number(0)));
        return op.Function == ReduceFunction.Variance ? variance : e.Op("Sqrt", variance);
    }

    private static void Put(ExportCall call, bool isFirst, bool[] reduced, bool keepDims, string y)
    {
        // Without channels the rest lies as it does here.
        if (isFirst && (keepDims || !reduced[^1]))
        {
            call.First(y);
        }
        else
        {
            call.Plain(y);
        }
    }

    /// <summary>How many terms are folded, as a number.</summary>
    private static string Terms(ExportCall call, Shape x, bool[] reduced)
    {
        long known = 1;
        string? symbols = null;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            if (!reduced[axis])
            {
                continue;
            }

            if (!Dim.IsSymbol(x[axis]))
            {
                known *= x[axis];
            }
            else if (((ReduceOp)call.Op).Function is ReduceFunction.Variance or ReduceFunction.StandardDeviation)
            {
                string extent = call.Emit.Op("Squeeze", call.Exporter.Extent(x[axis]));
                symbols = symbols is null ? extent : call.Emit.Op("Mul", symbols, extent);
            }
        }

        return symbols is null
            ? call.Emit.Number(known)
            : call.Emit.Cast(call.Emit.Op("Mul", symbols, call.Emit.Long(known)), OnnxElementType.Float32);
    }

    private static bool[] Reduced(Shape x, int axes)
    {
        int all = ReduceOp.FromFront(x, axes);
        return [.. Enumerable.Range(0, Math.Max(1, x.Rank)).Select(axis => (all & (1 << axis)) != 0)];
    }

    private static long[] Axes(ExportValue x, bool[] reduced, bool isFirst) =>
        [.. Enumerable.Range(0, x.Rank).Where(axis => reduced[axis]).Select(axis => (long)(isFirst ? x.Inside(axis) : axis))];
}
