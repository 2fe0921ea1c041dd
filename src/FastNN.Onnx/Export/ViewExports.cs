using FastNN.Ops;

namespace FastNN.Onnx.Export;

/// <summary>Other shapes for the same elements, and other orders of axes.</summary>
internal static class ViewExports
{
    /// <summary>Whether a new shape splits and joins spatial axes alone, between the first and the last.</summary>
    public static bool KeepsChannels(Shape from, Shape to) =>
        from.Rank >= 3 && to.Rank >= 3 && from[0] == to[0] && from[-1] == to[-1];

    public static void Write(ExportCall call)
    {
        ExportValue x = call.X;
        Shape from = x.Shape, to = call.Type().Shape;
        if (x.IsFirst && KeepsChannels(from, to))
        {
            call.First(call.Exporter.Reshape(x.First, ExportValue.FirstShape(from), ExportValue.FirstShape(to)));
        }
        else if (x.IsFirst && IsColumn(from))
        {
            // One pixel, or one channel: both orders are the same elements.
            call.Plain(call.Exporter.Reshape(x.First, ExportValue.FirstShape(from), to));
        }
        else if (x.IsFirst && from.Rank is 4 or 5 && to.Rank == 2 && from[0] == to[0]
            && call.Output().Features is { Image: not null } features)
        {
            call.Outputs[0] = ExportValue.OfFlat(
                call.Exporter, call.Type(), call.Exporter.Reshape(x.First, ExportValue.FirstShape(from), to), features);
        }
        else if (x.IsFlat && from == to)
        {
            call.Outputs[0] = x;
        }
        else
        {
            call.Plain(call.Exporter.Reshape(x.Plain, from, to));
        }
    }

    public static void Permute(ExportCall call)
    {
        ExportValue x = call.X;
        var order = ((PermuteOp)call.Op).Order.ToArray();
        if (x.Constant is { } constant)
        {
            call.Plain(constant.Arranged(order));
        }
        else
        {
            call.Plain(call.Emit.Transpose(x.Either, Array.ConvertAll(order, x.Inside)));
        }
    }

    private static bool IsColumn(Shape shape)
    {
        bool single = true;
        for (int axis = 1; axis < shape.Rank - 1; axis++)
        {
            single &= shape[axis] == 1;
        }

        return single || shape[-1] == 1;
    }
}
