using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Normalizations.</summary>
internal static class NormalizationExports
{
    public static void Batch(ExportCall call)
    {
        var op = (BatchNormOp)call.Op;
        if (op.IsTraining)
        {
            throw call.Refuse("statistics of the batch belong to training; record the model for inference");
        }

        int channels = call.X.Shape[-1];
        bool hasParameters = call.InputCount - (op.HasResidual ? 1 : 0) > 3;
        bool flat = call.X.IsFlat && Enumerable.Range(1, call.InputCount - 1)
            .All(i => call.Input(i).FitsFlat(call.X.Features!));
        string Channel(int input) => flat ? call.Input(input).FlatFor(call.X.Features!) : call.Input(input).Plain;
        string form = flat ? call.X.Flat : call.X.First;
        string y = call.Emit.Add(
            "BatchNormalization",
            [
                form, hasParameters ? Channel(3) : call.Emit.Filled(channels, 1),
                hasParameters ? Channel(4) : call.Emit.Filled(channels, 0), Channel(1), Channel(2),
            ],
            Attribute("epsilon", op.Eps));
        if (flat)
        {
            call.Outputs[0] = call.X.Like(call.Type(), y);
        }
        else
        {
            call.First(After(call, op, y));
        }
    }

    public static void Group(ExportCall call)
    {
        var op = (GroupNormOp)call.Op;
        Shape x = call.X.Shape;
        int parameters = call.InputCount - (op.HasResidual ? 1 : 0);
        int count = op.Groups == 0 ? x[-1] : op.Groups;
        if (op.Groups == 0)
        {
            string scale = parameters > 1 ? call.Input(1).Plain : call.Emit.Filled(count, 1);
            string shift = parameters > 2 ? call.Input(2).Plain : call.Emit.Filled(count, 0);
            call.First(After(call, op, call.Emit.Add(
                "InstanceNormalization", [call.X.First, scale, shift], Attribute("epsilon", op.Eps))));
            return;
        }

        // A group is normalized as one channel; each channel has its own scale behind that.
        string form = call.X.First;
        string groups = call.Emit.Op("Reshape", form, call.Emit.Longs(0, count, -1));
        string y = call.Emit.Add(
            "InstanceNormalization", [groups, call.Emit.Filled(count, 1), call.Emit.Filled(count, 0)],
            Attribute("epsilon", op.Eps));
        y = call.Emit.Op("Reshape", y, call.Emit.Op("Shape", form));
        y = parameters > 1 ? call.Emit.Op("Mul", y, call.Input(1).FirstFor(x.Rank)) : y;
        y = parameters > 2 ? call.Emit.Op("Add", y, call.Input(2).FirstFor(x.Rank)) : y;
        call.First(After(call, op, y));
    }

    public static void Layer(ExportCall call)
    {
        var op = (LayerNormOp)call.Op;
        string scale = call.InputCount > 1 ? call.Input(1).Plain : Ones(call, op.Trailing);
        string[] inputs = call.InputCount > 2 ? [call.X.Plain, scale, call.Input(2).Plain] : [call.X.Plain, scale];
        call.Plain(call.Emit.Add(
            "LayerNormalization", inputs, Attribute("axis", -op.Trailing), Attribute("epsilon", op.Eps)));
    }

    /// <summary>The standard has it from opset 23 on; before that it is its definition.</summary>
    public static void Rms(ExportCall call)
    {
        var op = (RmsNormOp)call.Op;
        Emitter e = call.Emit;
        string x = call.X.Plain;
        long[] axes = [.. Enumerable.Range(call.X.Rank - op.Trailing, op.Trailing).Select(axis => (long)axis)];
        string mean = e.Reduce("ReduceMean", e.Op("Mul", x, x), axes, keepDims: true);
        string y = e.Op("Div", x, e.Op("Sqrt", e.Op("Add", mean, e.Number(op.Eps))));
        call.Plain(call.InputCount > 1 ? e.Op("Mul", y, call.Input(1).Plain) : y);
    }

    /// <summary>A residual and ReLU, where they are part of the operator.</summary>
    private static string After(ExportCall call, ColumnNormOp op, string y)
    {
        y = op.HasResidual ? call.Emit.Op("Add", y, call.Input(op.Residual).First) : y;
        return op.HasReLU ? call.Emit.Op("Relu", y) : y;
    }

    private static string Ones(ExportCall call, int trailing)
    {
        Shape own = call.X.Shape[^trailing..];
        string ones = call.Emit.Filled(checked((int)own.Count), 1);
        return trailing == 1 ? ones : call.Exporter.Reshape(ones, new Shape((int)own.Count), own);
    }
}
