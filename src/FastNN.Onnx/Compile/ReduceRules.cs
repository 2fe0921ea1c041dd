namespace FastNN.Onnx.Compile;

/// <summary>Operators that make one element of many.</summary>
internal static class ReduceRules
{
    public delegate Value Reduction(Value x, ReadOnlySpan<int> axes);

    public static TraceRule Reduce(Reduction function) => call =>
    {
        // Sums, maxima and minima of integers are integers.
        bool takesIntegers = call.Host.Node.Operator is "ReduceSum" or "ReduceMax" or "ReduceMin";
        if (call.Input(0) is not { } x || call.TracedInput(1) is not null || !(x.Type == OnnxElementType.Float32
            || (takesIntegers && x.Type is OnnxElementType.Int32 or OnnxElementType.Int64)))
        {
            return null;
        }

        long[]? axes = call.Longs(1, "axes");
        if (axes is null or [] && call.Host.Flag("noop_with_empty_axes"))
        {
            return null;
        }

        int[] gone = axes is null or []
            ? [.. Enumerable.Range(0, x.Rank)]
            : [.. axes.Select(axis => call.Host.Axis(axis, x.Rank)).Distinct()];
        return gone.Length == 0 ? TraceCall.One(x) : [Reduced(x, gone, function, call.Host.Int("keepdims", 1) != 0)];
    };

    private static Traced Reduced(Traced x, int[] axes, Reduction function, bool keep)
    {
        Value y = function(x.Either, Array.ConvertAll(axes, x.Inside));
        y = x.Type == OnnxElementType.Float32 ? y : y.Cast(DType.Int32);
        int[] dims = [.. x.Dims.Select((extent, axis) => Array.IndexOf(axes, axis) >= 0 ? 1 : extent)];
        Traced kept = x.IsLast ? Traced.OfLast(y, x.Type, dims) : Traced.OfPlain(y, x.Type, dims);
        if (keep)
        {
            return kept;
        }

        int[] left = [.. x.Dims.Where((_, axis) => Array.IndexOf(axes, axis) < 0)];

        // Of an image's places one is left: then both orders are the same.
        bool same = x.IsLast && dims.AsSpan(2).IndexOfAnyExcept(1) < 0;
        return Traced.OfPlain((same ? kept.Either : kept.Plain).Reshape(new Shape(left)), x.Type, left);
    }

    public static TraceRule Arg(Func<Value, int, Value> function) => call =>
    {
        if (call.FloatInput(0) is not { } x || call.Host.Flag("select_last_index"))
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", 0), x.Rank);
        Traced found = Reduced(x, [axis], (value, axes) => function(value, axes[0]), call.Host.Int("keepdims", 1) != 0);
        return [Traced.OfPlain(found.Plain.Cast(DType.Int32), OnnxElementType.Int64, found.Dims)];
    };

    public static TraceRule Softmax(Func<Value, int, Value> function) => call =>
    {
        if (call.FloatInput(0) is not { Rank: > 0 } x)
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", call.Opset >= 13 ? -1 : 1), x.Rank);
        if (call.Opset >= 13 || axis == x.Rank - 1)
        {
            return TraceCall.One(x.Like(function(x.Either, x.Inside(axis)), x.Type));
        }

        // Older opsets see all axes from one on as a row.
        int outer = x.Dims[..axis].Aggregate(1, (p, d) => p * d), row = x.Dims[axis..].Aggregate(1, (p, d) => p * d);
        Value rows = function(x.Plain.Reshape(new Shape(outer, row)), 1);
        return [Traced.OfPlain(rows.Reshape(new Shape(x.Dims)), x.Type, x.Dims)];
    };

    /// <summary>A reduction of all spatial axes.</summary>
    public static TraceRule Global(Reduction function) => call =>
        call.FloatInput(0) is { Rank: >= 3 } x ? [Reduced(x, [.. Enumerable.Range(2, x.Rank - 2)], function, keep: true)] : null;
}
