using FastNN.Onnx.Compile;

namespace FastNN.Onnx.Train;

/// <summary>Other shapes for the same elements, some of whose extents are symbols or multiples of one.</summary>
/// <param name="single">Whether the file fixes the number of examples at 1: then a 1 in front of a shape that would have too few
/// elements otherwise stands for all of them.</param>
internal sealed class TrainReshape(bool single)
{
    // What the extents are of which the engine only knows that they are open.
    private readonly Dictionary<int, (int Count, int Symbol)> _folded = [];

    /// <summary>An extent; the multiple of a symbol where it is known to be one.</summary>
    public long Multiple(long extent) =>
        TrainShapes.IsSymbol(extent) && _folded.TryGetValue((int)extent, out (int Count, int Symbol) folded)
            ? (long)folded.Count * folded.Symbol
            : extent;

    public Traced?[]? Record(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || call.TracedInput(1) is not null)
        {
            return null;
        }

        bool isPixel = x.IsLast && x.Dims.AsSpan(2).IndexOfAnyExcept(1) < 0;
        Value from = isPixel ? x.Either : x.Plain;
        switch (call.Host.Node.Operator)
        {
            case "Flatten":
                if (call.Host.Int("axis", 1) != 1 || x.Rank < 2)
                {
                    return null;
                }

                Value flat = x.Rank == 2 ? from : isPixel ? from.Reshape(new Shape(x.Dims)).Flatten() : from.Flatten();
                return [Traced.OfPlain(flat, x.Type, flat.Shape.ToArray())];
            case "Squeeze":
                return View(from, x, Squeezed(call, x));
            case "Unsqueeze":
                return View(from, x, Unsqueezed(call, x));
        }

        if (Target(call, x, out bool folds) is not { } target)
        {
            return isPixel ? null : Folded(call, x);
        }

        return (folds && !isPixel ? Folded(call, x) : null) ?? View(from, x, target);
    }

    /// <summary>The elements under a shape; multiples of a symbol are two axes first, and one then.</summary>
    private Traced?[]? View(Value from, Traced x, long[] shape)
    {
        var all = new List<int>();
        var folds = new List<int>();
        for (int axis = 0; axis < shape.Length; axis++)
        {
            if (TrainShapes.Multiple(shape[axis]) is { Count: > 1 and var count, Symbol: var symbol })
            {
                folds.Add(axis);
                all.Add(symbol);
                all.Add(count);
            }
            else
            {
                all.Add(checked((int)shape[axis]));
            }
        }

        if (all.Count > Shape.MaxRank)
        {
            return null;
        }

        Value y = from.Reshape(new Shape([.. all]));
        foreach (int axis in folds)
        {
            y = y.Flatten(axis, axis + 1);
            _folded.TryAdd(y.Shape[axis], TrainShapes.Multiple(shape[axis])!.Value);
        }

        return [Traced.OfPlain(y, x.Type, y.Shape.ToArray())];
    }

    /// <summary>The new shape; null where it has an extent that is another product with symbols.</summary>
    /// <param name="call">The node.</param>
    /// <param name="x">Its input.</param>
    /// <param name="folds">Whether an extent that was left to find is a multiple of a symbol.</param>
    private long[]? Target(TraceCall call, Traced x, out bool folds)
    {
        folds = false;
        long[] dims = (long[])call.Longs(1, "shape")!.Clone();
        int open = -1;
        long known = 1, all = 1;
        var left = new List<int>();
        foreach (int extent in x.Dims)
        {
            (int count, int symbol) = _folded.TryGetValue(extent, out (int, int) folded) ? folded
                : Dim.IsSymbol(extent) ? (1, extent) : (extent, 0);
            all *= count;
            if (symbol != 0)
            {
                left.Add(symbol);
            }
        }

        for (int i = 0; i < dims.Length; i++)
        {
            dims[i] = dims[i] == 0 && !call.Host.Flag("allowzero") ? x.Dims[i] : dims[i];
            if (dims[i] == -1)
            {
                open = i;
            }
            else if (TrainShapes.Multiple(dims[i]) is (var count, var symbol))
            {
                (int times, int of) = _folded.GetValueOrDefault(symbol, (1, symbol));
                known *= (long)count * times;
                left.Remove(of);
            }
            else
            {
                known *= dims[i];
            }
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

        if (known == 0 || all % known != 0 || left.Count > 1 || (left.Count == 1 && all / known > TrainShapes.MaxCount))
        {
            return null;
        }

        folds = left.Count == 1 && all != known;
        dims[open] = left.Count == 1 ? all / known * left[0] : all / known;
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

    private static long[] Squeezed(TraceCall call, Traced x)
    {
        int[]? axes = call.Longs(1, "axes") is { } given
            ? Array.ConvertAll(given, axis => call.Host.Axis(axis, x.Rank))
            : null;
        return [.. x.Dims.Where((extent, axis) => axes is null ? extent != 1 : Array.IndexOf(axes, axis) < 0)
            .Select(extent => (long)extent)];
    }

    private static long[] Unsqueezed(TraceCall call, Traced x)
    {
        long[] given = call.Longs(1, "axes")!;
        int rank = x.Rank + given.Length;
        int[] axes = Array.ConvertAll(given, axis => call.Host.Axis(axis, rank));
        var rest = new Queue<int>(x.Dims);
        return [.. Enumerable.Range(0, rank).Select(axis => Array.IndexOf(axes, axis) >= 0 ? 1L : rest.Dequeue())];
    }
}
