using FastNN.Onnx.Compile;
using FastNN.Onnx.Host;

namespace FastNN.Onnx.Train;

/// <summary>Operators that move elements of tensors some of whose extents are symbols.</summary>
internal static class TrainShapes
{
    /// <summary>Whether an integer of a shape stands for an extent that is open.</summary>
    public static bool IsSymbol(long extent) => extent is >= int.MinValue and <= 0 && Dim.IsSymbol((int)extent);

    /// <summary>Another shape for the same elements.</summary>
    /// <param name="call">The node.</param>
    /// <param name="single">Whether the file fixes the number of examples at 1: then a 1 in front of a shape that would have
    /// too few elements otherwise stands for all of them.</param>
    public static Traced?[]? Reshape(TraceCall call, bool single)
    {
        if (call.TracedInput(0) is not { } x || call.TracedInput(1) is not null)
        {
            return null;
        }

        bool isPixel = x.IsLast && x.Dims.AsSpan(2).IndexOfAnyExcept(1) < 0;
        Value from = isPixel ? x.Either : x.Plain;
        int[]? dims = call.Host.Node.Operator switch
        {
            "Flatten" => null,
            "Squeeze" => Squeezed(call, x),
            "Unsqueeze" => Unsqueezed(call, x),
            _ => Target(call, x, single),
        };
        if (call.Host.Node.Operator == "Flatten")
        {
            int axis = (int)call.Host.Int("axis", 1);
            if (axis != 1 || x.Rank < 2)
            {
                return null;
            }

            Value flat = x.Rank == 2 ? from : isPixel ? from.Reshape(new Shape(x.Dims)).Flatten() : from.Flatten();
            return [Traced.OfPlain(flat, x.Type, flat.Shape.ToArray())];
        }

        if (dims is not null)
        {
            return dims.Length <= Shape.MaxRank ? [Traced.OfPlain(from.Reshape(new Shape(dims)), x.Type, dims)] : null;
        }

        return isPixel ? null : Folded(call, x);
    }

    /// <summary>The new shape; null where it has an extent that is a product with a symbol.</summary>
    private static int[]? Target(TraceCall call, Traced x, bool single)
    {
        long[] shape = call.Longs(1, "shape")!;
        var dims = new int[shape.Length];
        int open = -1;
        long known = 1, all = 1;
        var left = x.Dims.Where(extent => Dim.IsSymbol(extent)).ToList();
        for (int i = 0; i < dims.Length; i++)
        {
            dims[i] = shape[i] == 0 && !call.Host.Flag("allowzero") ? x.Dims[i] : checked((int)shape[i]);
            if (dims[i] == -1)
            {
                open = i;
            }
            else if (Dim.IsSymbol(dims[i]))
            {
                left.Remove(dims[i]);
            }
            else
            {
                known *= dims[i];
            }
        }

        foreach (int extent in x.Dims)
        {
            all *= Dim.IsSymbol(extent) ? 1 : extent;
        }

        if (single && left.Count == 1 && left[0] == x.Dims[0] && dims is [1, ..]
            && (open < 0 ? known == all : known > 0 && all % known == 0))
        {
            dims[0] = left[0];
            left.Clear();
        }

        if (open < 0)
        {
            return dims;
        }

        if (known == 0 || all % known != 0 || left.Count > 1 || (left.Count == 1 && all != known))
        {
            return null;
        }

        dims[open] = left.Count == 1 ? left[0] : checked((int)(all / known));
        return dims;
    }

    /// <summary>Neighboring axes as one, where -1 stands for all of them.</summary>
    private static Traced?[]? Folded(TraceCall call, Traced x)
    {
        long[] shape = call.Longs(1, "shape")!;
        int place = Array.IndexOf(shape, -1L), behind = shape.Length - 1 - place, last = x.Rank - 1 - behind;
        for (int i = 0; i < shape.Length; i++)
        {
            int same = i < place ? i : x.Rank - (shape.Length - i);
            if (i != place && (same < 0 || same >= x.Rank || (shape[i] != x.Dims[same] && !(shape[i] == 0 && i == same))))
            {
                return null;
            }
        }

        if (place < 0 || last < place)
        {
            return null;
        }

        Value y = x.Plain.Flatten(place, last);
        return [Traced.OfPlain(y, x.Type, y.Shape.ToArray())];
    }

    private static int[] Squeezed(TraceCall call, Traced x)
    {
        int[]? axes = call.Longs(1, "axes") is { } given
            ? Array.ConvertAll(given, axis => call.Host.Axis(axis, x.Rank))
            : null;
        return [.. x.Dims.Where((extent, axis) => axes is null ? extent != 1 : Array.IndexOf(axes, axis) < 0)];
    }

    private static int[] Unsqueezed(TraceCall call, Traced x)
    {
        long[] given = call.Longs(1, "axes")!;
        int rank = x.Rank + given.Length;
        int[] axes = Array.ConvertAll(given, axis => call.Host.Axis(axis, rank));
        var rest = new Queue<int>(x.Dims);
        return [.. Enumerable.Range(0, rank).Select(axis => Array.IndexOf(axes, axis) >= 0 ? 1 : rest.Dequeue())];
    }

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
        if (call.TracedInput(0) is not { } x || call.Host.Longs(1) is not { } shape)
        {
            return null;
        }

        int[] dims = Shapes.Broadcast(call.Host, x.Dims, Array.ConvertAll(shape, extent => checked((int)extent)));
        return dims.Length <= Shape.MaxRank ? [Traced.OfPlain(x.Plain.Expand(dims), x.Type, dims)] : null;
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
