using FastNN.Onnx.Compile;
using FastNN.Onnx.Host;

namespace FastNN.Onnx.Train;

/// <summary>Operators that move elements of tensors some of whose extents are symbols.</summary>
internal static class TrainShapes
{
    /// <summary>Whether an integer of a shape stands for an extent that is open.</summary>
    public static bool IsSymbol(long extent) => extent is >= int.MinValue and <= 0 && Dim.IsSymbol((int)extent);

    /// <summary>
    /// A symbol and how many times an integer of a shape is that; null where it is a number. Symbols are numbers close to -2^31,
    /// so that the product of one and a small number, which the host multiplies as it does others, can be taken apart again.
    /// </summary>
    public static (int Count, int Symbol)? Multiple(long extent)
    {
        const long Size = 1L << 31;
        if (extent > int.MinValue)
        {
            return IsSymbol(extent) ? (1, (int)extent) : null;
        }

        long count = (-(extent + 1) / Size) + 1;
        return count <= MaxCount && extent % count == 0 && IsSymbol(extent / count) ? ((int)count, (int)(extent / count)) : null;
    }

    /// <summary>The greatest multiple of a symbol: with it all symbols are told apart.</summary>
    public const int MaxCount = 1 << 15;

    public static Traced?[]? Split(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || call.TracedInput(1) is not null)
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", 0), x.Rank), parts = call.Host.OutputCount, extent = x.Dims[axis];
        if (Dim.IsSymbol(extent))
        {
            return null;
        }

        int each = (extent + parts - 1) / parts;
        int[] sizes = call.Longs(1, "split") is { } given
            ? Array.ConvertAll(given, size => checked((int)size))
            : [.. Enumerable.Range(0, parts).Select(i => Math.Min(each, extent - (i * each)))];
        Value[] values = x.Either.Split(x.Inside(axis), sizes);
        return [.. values.Select((value, i) =>
        {
            int[] dims = (int[])x.Dims.Clone();
            dims[axis] = sizes[i];
            return x.IsLast ? Traced.OfLast(value, x.Type, dims) : Traced.OfPlain(value, x.Type, dims);
        })];
    }

    /// <summary>As sessions record it, but for ends that are symbols: then it is the first so many.</summary>
    public static Traced?[]? Slice(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || Enumerable.Range(1, 4).Any(i => call.TracedInput(i) is not null))
        {
            return null;
        }

        long[] starts = call.Longs(1, "starts")!, ends = call.Longs(2, "ends")!;
        long[] axes = call.Longs(3, "axes") ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        if (ends is [var end] && IsSymbol(end) && starts is [0] && call.Host.Axis(axes[0], x.Rank) == 0
            && (call.Host.Longs(4) ?? [1]) is [1])
        {
            Value rows = x.Plain.FirstRows((int)end);
            return [Traced.OfPlain(rows, x.Type, rows.Shape.ToArray())];
        }

        return IsOpen(call) ? null : ShapeRules.Slice(call);
    }

    /// <summary>Whether places that a Slice takes are symbols, or an axis is of which it does not take all.</summary>
    public static bool IsOpen(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || Enumerable.Range(1, 4).Any(i => call.TracedInput(i) is not null))
        {
            return false;
        }

        long[] starts = call.Longs(1, "starts")!, ends = call.Longs(2, "ends")!;
        long[] axes = call.Longs(3, "axes") ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        long[]? steps = call.Host.Longs(4);
        return ends.Any(IsSymbol) || starts.Any(IsSymbol) || Enumerable.Range(0, starts.Length).Any(i =>
            Dim.IsSymbol(x.Dims[call.Host.Axis(axes[i], x.Rank)]) && !Layout.IsWhole(starts[i], ends[i], steps?[i] ?? 1));
    }

    public static Traced?[]? Expand(TraceCall call)
    {
        if (call.Input(0) is not { } x || call.Host.Longs(1) is not { } shape)
        {
            return null;
        }

        int[] dims = Shapes.Broadcast(call.Host, x.Dims, Array.ConvertAll(shape, extent => checked((int)extent)));
        return dims.Length <= Shape.MaxRank ? [Traced.OfPlain(x.Plain.Expand(dims), x.Type, dims)] : null;
    }

    /// <summary>One number of an open shape, such as the first state of a recurrence.</summary>
    public static Traced?[]? ConstantOfShape(TraceCall call)
    {
        OnnxTensor value = call.Host.TensorAttribute("value") ?? OnnxTensor.Create([0f], 1);
        int[] dims = Array.ConvertAll(call.Host.Longs(0)!, extent => checked((int)extent));
        return dims.Length is > 0 and <= Shape.MaxRank && value.ElementType == OnnxElementType.Float32
            && call.Record(OnnxTensor.Create(value.Array<float>(), 1)) is { } one
            ? [Traced.OfPlain(one.Plain.Expand(dims), one.Type, dims)]
            : null;
    }

    public static Traced?[]? Gather(TraceCall call)
    {
        if (call.Constant(1) is not null)
        {
            return ShapeRules.Gather(call);
        }

        if (call.FloatInput(0) is not { } x || call.TracedInput(1) is not { } indices)
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", 0), x.Rank);
        int[] dims = [.. x.Dims[..axis], .. indices.Dims, .. x.Dims[(axis + 1)..]];
        Value chosen = axis == 0 && x.Rank == 2
            ? indices.Plain.Embedding(x.Plain)
            : x.Plain.IndexSelect(axis, indices.Plain);
        return [Traced.OfPlain(chosen, x.Type, dims)];
    }
}
