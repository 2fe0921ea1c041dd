using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>Operators that pick and put elements by indices, or by their order.</summary>
internal static class IndexRules
{
    public static Traced?[]? Trilu(TraceCall call)
    {
        if (call.TracedInput(0) is not { Rank: >= 2 } x || call.TracedInput(1) is not null)
        {
            return null;
        }

        // Beyond the matrix every diagonal keeps all or nothing.
        int most = Math.Max(x.Dims[^1], x.Dims[^2]), diagonal = (int)Math.Clamp(call.Host.Long(1) ?? 0, -most, most);
        Value y = call.Host.Int("upper", 1) != 0 ? x.Plain.Triu(diagonal) : x.Plain.Tril(diagonal);
        return [Traced.OfPlain(y, x.Type, x.Dims)];
    }

    public static Traced?[]? GatherElements(TraceCall call)
    {
        if (call.Input(0) is not { Rank: > 0 } x || call.Input(1) is not { } indices || indices.Rank != x.Rank)
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", 0), x.Rank);
        return call.Places(1, x.Dims[axis]) is { } places
            ? [Traced.OfPlain(x.Plain.Gather(axis, places), x.Type, indices.Dims)]
            : null;
    }

    public static Traced?[]? ScatterElements(TraceCall call)
    {
        if (call.Input(0) is not { Rank: > 0 } x || call.Input(1) is not { } indices || call.Input(2) is not { } updates
            || indices.Rank != x.Rank || updates.Type != x.Type)
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", 0), x.Rank);
        return call.Places(1, x.Dims[axis]) is { } places && Put(call, x.Plain, x.Type, axis, places, updates.Plain) is { } y
            ? [Traced.OfPlain(y, x.Type, x.Dims)]
            : null;
    }

    private static Value? Put(TraceCall call, Value x, OnnxElementType type, int axis, Value places, Value updates) =>
        call.Host.Text("reduction", "none") switch
        {
            "none" => x.Scatter(axis, places, updates),
            "add" when type == OnnxElementType.Float32 => x.ScatterAdd(axis, places, updates),
            _ => null,
        };

    /// <summary>Slices by the indices of their first axes, as rows of a table by one index.</summary>
    public static Traced?[]? GatherND(TraceCall call)
    {
        if (call.Input(0) is not { Rank: > 0 } x || call.Input(1) is not { Rank: > 0 } indices
            || call.Host.Int("batch_dims", 0) != 0 || Rows(call, x, indices) is not var (places, count, rest))
        {
            return null;
        }

        int[] dims = [.. indices.Dims[..^1], .. x.Dims[indices.Dims[^1]..]];
        return dims.Length <= Shape.MaxRank
            ? [Traced.OfPlain(
                x.Plain.Reshape(new Shape(count, rest)).IndexSelect(0, places).Reshape(new Shape(dims)), x.Type, dims)]
            : null;
    }

    public static Traced?[]? ScatterND(TraceCall call)
    {
        if (call.Input(0) is not { Rank: > 0 } x || call.Input(1) is not { Rank: > 0 } indices
            || call.Input(2) is not { } updates || updates.Type != x.Type
            || Rows(call, x, indices) is not var (places, count, rest))
        {
            return null;
        }

        int rows = indices.Dims[..^1].Aggregate(1, (product, extent) => product * extent);
        if (updates.Dims.Aggregate(1L, (product, extent) => product * extent) != (long)rows * rest)
        {
            return null;
        }

        Value spread = places.Reshape(new Shape(rows, 1)).Expand(rows, rest);
        return Put(call, x.Plain.Reshape(new Shape(count, rest)), x.Type, 0, spread, updates.Plain.Reshape(new Shape(rows, rest)))
            is { } y
            ? [Traced.OfPlain(y.Reshape(new Shape(x.Dims)), x.Type, x.Dims)]
            : null;
    }

    /// <summary>Indices [..., R] of x's first R axes as places among their product, how many there are, and how many elements
    /// each has.</summary>
    private static (Value Places, int Count, int Each)? Rows(TraceCall call, Traced x, Traced indices)
    {
        int depth = indices.Dims[^1];
        if (depth < 1 || depth > x.Rank)
        {
            return null;
        }

        int[] lead = x.Dims[..depth], strides = Shapes.Strides(lead);
        int count = lead.Aggregate(1, (product, extent) => product * extent),
            rest = x.Dims[depth..].Aggregate(1, (product, extent) => product * extent);
        int rows = indices.Dims[..^1].Aggregate(1, (product, extent) => product * extent);
        if (call.Constant(1) is not null)
        {
            long[] all = call.Host.Longs(1)!;
            var known = new int[rows];
            for (int i = 0; i < all.Length; i++)
            {
                int axis = i % depth;
                long place = all[i] < 0 ? all[i] + lead[axis] : all[i];
                if (place < 0 || place >= lead[axis])
                {
                    return null;
                }

                known[i / depth] += (int)place * strides[axis];
            }

            return (call.Graph.ConstantInt32(known, new Shape(rows)), count, rest);
        }

        if (indices.Type is not (OnnxElementType.Int32 or OnnxElementType.Int64))
        {
            return null;
        }

        Value table = indices.Plain.Reshape(new Shape(rows, depth));
        Value? sum = null;
        for (int axis = 0; axis < depth; axis++)
        {
            Value column = table.Slice(1, axis, axis + 1).Reshape(new Shape(rows));
            column = ShapeOperators.Where(column.Less(0), column + lead[axis], column) * strides[axis];
            sum = sum is null ? column : sum + column;
        }

        return (sum!, count, rest);
    }

    public static Traced?[]? OneHot(TraceCall call)
    {
        if (call.TracedInput(0) is not { Type: OnnxElementType.Int32 or OnnxElementType.Int64 } x
            || call.Constant(1) is not { Count: 1 } || call.Constant(2) is not { Count: 2 } || x.Rank == Shape.MaxRank
            || call.Input(2) is not { Type: not OnnxElementType.Bool } values)
        {
            return null;
        }

        double depth = call.Host.Number(1)!.Value;
        if (depth is < 1 or > 1 << 24)
        {
            return null;
        }

        int classes = (int)depth, axis = call.Host.Axis(call.Host.Int("axis", -1), x.Rank + 1);
        Value places = ShapeOperators.Where(x.Plain.Less(0), x.Plain + classes, x.Plain).Reshape(new Shape([.. x.Dims, 1]));
        Value hit = places.Equal(call.Graph.ConstantInt32([.. Enumerable.Range(0, classes)], new Shape(classes)));
        Value y = ShapeOperators.Where(hit, values.Plain.Slice(0, 1, 2), values.Plain.Slice(0, 0, 1));
        int[] dims = [.. x.Dims[..axis], classes, .. x.Dims[axis..]];
        int[] order = [.. Enumerable.Range(0, axis), x.Rank, .. Enumerable.Range(axis, x.Rank - axis)];
        return [Traced.OfPlain(axis == x.Rank ? y : y.Permute(order), values.Type, dims)];
    }

    public static Traced?[]? TopK(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: > 0 } x || call.TracedInput(1) is not null)
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", -1), x.Rank);
        long k = call.Opset >= 10 ? call.Host.Long(1) ?? 0 : call.Host.Int("k", 0);
        if (k < 1 || k > x.Dims[axis])
        {
            return null;
        }

        (Value values, Value indices) = x.Plain.TopK((int)k, axis, call.Host.Int("largest", 1) != 0);
        int[] dims = (int[])x.Dims.Clone();
        dims[axis] = (int)k;
        return [Traced.OfPlain(values, x.Type, dims), Traced.OfPlain(indices, OnnxElementType.Int64, dims)];
    }

    public static Traced?[]? CumSum(TraceCall call)
    {
        if (call.Input(0) is not { Rank: > 0, Type: OnnxElementType.Float32 or OnnxElementType.Int32 or OnnxElementType.Int64 } x
            || call.TracedInput(1) is not null || call.Host.Long(1) is not { } given)
        {
            return null;
        }

        int axis = call.Host.Axis(given, x.Rank);
        bool exclusive = call.Host.Flag("exclusive"), reverse = call.Host.Flag("reverse");
        Value Sums(Value terms) => terms.CumSum(x.Inside(axis), exclusive, reverse);
        if (x.Type == OnnxElementType.Float32)
        {
            return [x.Like(Sums(x.Either), x.Type)];
        }

        // The engine adds up floats: of 12 bits and of the rest alone, sums of up to 4096 terms are exact.
        const int bits = 12;
        if (x.Dims[axis] > 1 << bits)
        {
            return null;
        }

        Value low = Sums(x.Either.BitwiseAnd((1 << bits) - 1).Cast(DType.Float32)).Cast(DType.Int32);
        Value high = Sums(x.Either.ShiftRight(bits).Cast(DType.Float32)).Cast(DType.Int32);
        return [x.Like(high.ShiftLeft(bits) + low, x.Type)];
    }
}
