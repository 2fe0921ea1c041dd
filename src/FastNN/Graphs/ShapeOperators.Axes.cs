using FastNN.Ops;

namespace FastNN;

/// <content>Axes that are added, left out, repeated, reversed and rolled; parts of matrices; padding.</content>
public static partial class ShapeOperators
{
    /// <summary>Leaves out axes of extent 1, as PyTorch's squeeze; moves nothing.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">Which, where they have extent 1; others stay. Negative axes count from the end. Default all.</param>
    /// <returns>A value of the same elements.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice.</exception>
    public static Value Squeeze(this Value x, params ReadOnlySpan<int> axes)
    {
        Shape shape = x.Shape;
        int[] chosen = axes.Length == 0 ? [.. Enumerable.Range(0, shape.Rank)] : Normalize("Squeeze", shape, axes);
        int[] kept = [.. Enumerable.Range(0, shape.Rank).Where(axis => shape[axis] != 1 || !chosen.Contains(axis))];
        return kept.Length == shape.Rank ? x : x.Reshape(new Shape([.. kept.Select(axis => shape[axis])]));
    }

    /// <summary>Adds an axis of extent 1, as PyTorch's unsqueeze; moves nothing.</summary>
    /// <param name="x">At most seven axes.</param>
    /// <param name="axis">Its place in the result; negative counts from the result's end.</param>
    /// <returns>A value of the same elements.</returns>
    /// <exception cref="ShapeException">The place is out of range, or x has eight axes.</exception>
    public static Value Unsqueeze(this Value x, int axis)
    {
        Shape shape = x.Shape;
        int at = axis < 0 ? axis + shape.Rank + 1 : axis;
        return (uint)at <= (uint)shape.Rank
            ? x.Reshape(Shape.Of(nameof(Unsqueeze), [.. shape[..at], 1, .. shape[at..]]))
            : throw new ShapeException(
                $"Unsqueeze: expected a place from {-shape.Rank - 1} to {shape.Rank} for {shape}, got {axis}.");
    }

    /// <summary>Folds neighboring axes into one, as PyTorch's flatten; moves nothing.</summary>
    /// <param name="x">At least one axis.</param>
    /// <param name="start">The first of them; negative axes count from the end.</param>
    /// <param name="end">The last; default the last of all.</param>
    /// <returns>A value of the same elements.</returns>
    /// <exception cref="ShapeException">An axis is out of range, or the last comes before the first.</exception>
    public static Value Flatten(this Value x, int start, int end = -1)
    {
        (int first, int last) = (x.Shape.NormalizeAxis(start, nameof(Flatten)), x.Shape.NormalizeAxis(end, nameof(Flatten)));
        return first > last
            ? throw new ShapeException(
                $"Flatten: expected a first axis in front of the last of {x.Shape}, got {start} and {end}.")
            : first == last ? x : x.Graph.Add(new FoldOp(first, last), x);
    }

    /// <summary>
    /// Repeats axes of extent 1, and adds axes in front, as PyTorch's expand and broadcast_to; its gradient is the sum over them.
    /// Operators that broadcast need no such value.
    /// </summary>
    /// <param name="x">Any shape.</param>
    /// <param name="shape">The result's extents; -1 keeps that of x. Symbols may stand among them.</param>
    /// <returns>A value of that shape.</returns>
    /// <exception cref="ShapeException">x does not broadcast to it.</exception>
    public static Value Expand(this Value x, params ReadOnlySpan<int> shape)
    {
        int[] extents = shape.ToArray();
        for (int i = 0; i < extents.Length; i++)
        {
            int at = i - extents.Length + x.Shape.Rank;
            if (extents[i] == -1)
            {
                extents[i] = at >= 0
                    ? x.Shape[at]
                    : throw new ShapeException(
                        $"Expand: expected the extents of new axes in front of {x.Shape}, got -1 for axis {i} of {extents.Length}.");
            }
        }

        var expanded = Shape.Of(nameof(Expand), extents);
        return expanded == x.Shape ? x : x.Graph.Add(new ExpandOp(expanded), x);
    }

    /// <summary>Copies of the whole side by side along each axis, as PyTorch's tile and Tensor.repeat, and NumPy's
    /// tile.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="repeats">How often along each axis, the last for the last axis. Where there are more of them than axes, x
    /// gets axes of extent 1 in front; where there are fewer, the axes in front are not repeated.</param>
    /// <returns>A value whose extents are multiples of x's.</returns>
    /// <exception cref="ShapeException">A number is negative, or there are more than eight axes.</exception>
    public static Value Tile(this Value x, params ReadOnlySpan<int> repeats)
    {
        foreach (int repeat in repeats)
        {
            if (repeat < 0)
            {
                throw new ShapeException(
                    $"Tile: expected repeats that are not negative, got [{string.Join(", ", repeats.ToArray())}].");
            }
        }

        int[] times = repeats.ToArray();
        return x.Graph.Compose(() => Tiled(x, times));
    }

    private static Value Tiled(Value x, int[] repeats)
    {
        Value y = x;
        for (int missing = repeats.Length - x.Shape.Rank; missing > 0; missing--)
        {
            y = y.Unsqueeze(0);
        }

        // Axes become [repeats, extent] each, as many at a time as shapes have axes, the last ones first.
        for (int end = repeats.Length; end > 0;)
        {
            int room = Shape.MaxRank - y.Shape.Rank, begin = end;
            for (; begin > 0 && (room > 0 || repeats[begin - 1] == 1); begin--)
            {
                room -= repeats[begin - 1] == 1 ? 0 : 1;
            }

            if (begin == end)
            {
                begin--;
                y = TileAlone(y, y.Shape.Rank - repeats.Length + begin, repeats[begin]);
            }
            else
            {
                y = TileSome(y, y.Shape.Rank - repeats.Length + begin, repeats.AsSpan(begin, end - begin));
            }

            end = begin;
        }

        return y;
    }

    /// <summary>Repeats each element along an axis, as PyTorch's repeat_interleave and NumPy's repeat.</summary>
    /// <param name="x">At least one axis and at most seven.</param>
    /// <param name="repeats">How often each; at least 1.</param>
    /// <param name="axis">Which; negative axes count from the end. Its extent is a number.</param>
    /// <returns>A value with so many times the axis' extent.</returns>
    /// <exception cref="ShapeException">The axis is out of range or symbolic, or the number is not positive.</exception>
    public static Value RepeatInterleave(this Value x, int repeats, int axis)
    {
        int at = x.Shape.NormalizeAxis(axis, nameof(RepeatInterleave)), extent = x.Shape[at];
        if (repeats < 1 || Dim.IsSymbol(extent) || (long)extent * repeats > int.MaxValue || x.Shape.Rank == Shape.MaxRank)
        {
            throw new ShapeException(
                $"RepeatInterleave: expected at most {Shape.MaxRank - 1} axes and at least one repeat along one whose extent is a number and stays below 2^31, got {repeats} along axis {at} of {x.Shape}.");
        }

        return repeats == 1
            ? x
            : x.Graph.Compose(
                () => x.Unsqueeze(at + 1).Expand([.. x.Shape[..(at + 1)], repeats, .. x.Shape[(at + 1)..]])
                    .Reshape([.. x.Shape[..at], extent * repeats, .. x.Shape[(at + 1)..]]));
    }

    /// <summary>Reverses axes, as PyTorch's flip.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">Which; negative axes count from the end. None gives x itself.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice.</exception>
    public static Value Flip(this Value x, params ReadOnlySpan<int> axes) => axes.Length == 0
        ? x
        : x.Graph.Add(new FlipOp(FromTheEnd(x.Shape, Normalize("Flip", x.Shape, axes))), x);

    /// <summary>Moves elements along one axis; those that leave at one end enter at the other, as PyTorch's roll.</summary>
    /// <param name="x">At least one axis.</param>
    /// <param name="shift">Places; negative towards the front.</param>
    /// <param name="axis">Which; negative axes count from the end.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    public static Value Roll(this Value x, int shift, int axis) => x.Roll([shift], [axis]);

    /// <summary>Moves elements along several axes in one pass, as PyTorch's roll.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="shifts">Places along each axis; negative towards the front.</param>
    /// <param name="axes">Which, as many; negative axes count from the end.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice, or there are not as many shifts.</exception>
    public static Value Roll(this Value x, ReadOnlySpan<int> shifts, ReadOnlySpan<int> axes)
    {
        int[] chosen = Normalize("Roll", x.Shape, axes);
        return shifts.Length == chosen.Length
            ? x.Graph.Add(new RollOp(new Sizes(shifts.ToArray()), FromTheEnd(x.Shape, chosen)), x)
            : throw new ShapeException($"Roll: expected one shift for each of {chosen.Length} axes, got {shifts.Length} shifts.");
    }

    /// <summary>The elements [i, i + offset] of two axes, as the last axis of the result; PyTorch's diagonal.</summary>
    /// <param name="x">At least two axes.</param>
    /// <param name="offset">Above the main diagonal, or below it where negative; default 0.</param>
    /// <param name="axis1">Where i counts; default 0.</param>
    /// <param name="axis2">Where i + offset counts; default 1.</param>
    /// <returns>A value of x's other axes with the diagonal behind them.</returns>
    /// <exception cref="ShapeException">An axis is out of range, or both are one.</exception>
    public static Value Diagonal(this Value x, int offset = 0, int axis1 = 0, int axis2 = 1)
    {
        int[] axes = Normalize("Diagonal", x.Shape, [axis1, axis2]);
        return x.Graph.Add(new DiagonalOp(offset, axes[0] - x.Shape.Rank, axes[1] - x.Shape.Rank), x);
    }

    /// <summary>The lower triangle of matrices, zeros above a diagonal; PyTorch's tril.</summary>
    /// <param name="x">[..., M, N], of any type.</param>
    /// <param name="diagonal">The last one that stays: 0 (default) the main one, above it positive.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">x has fewer than two axes.</exception>
    public static Value Tril(this Value x, int diagonal = 0) => x.Graph.Add(new TriluOp(Upper: false, diagonal), x);

    /// <summary>The upper triangle of matrices, zeros below a diagonal; PyTorch's triu.</summary>
    /// <param name="x">[..., M, N], of any type.</param>
    /// <param name="diagonal">The first one that stays: 0 (default) the main one, above it positive.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">x has fewer than two axes.</exception>
    public static Value Triu(this Value x, int diagonal = 0) => x.Graph.Add(new TriluOp(Upper: true, diagonal), x);

    /// <summary>Elements in front of axes and behind them, as PyTorch's functional pad, for any axes in every mode.</summary>
    /// <param name="x">Any shape and type.</param>
    /// <param name="pads">How many in front of the last axis and behind it, then of the axis before it, and so on. Negative ones
    /// cut off elements.</param>
    /// <param name="mode">What they are; default one number. Reflected there are fewer than the axis has on either side, around a
    /// circle no more.</param>
    /// <param name="value">That number; default 0.</param>
    /// <returns>A value with the padded extents.</returns>
    /// <exception cref="ShapeException">There are too many pads or an odd number of them, they do not fit the mode or cut off
    /// more than there is, or x's type does not hold the value.</exception>
    public static Value Pad(this Value x, ReadOnlySpan<int> pads, PadMode mode = PadMode.Constant, float value = 0)
    {
        bool isNothing = pads.Length % 2 == 0 && pads.Length <= 2 * x.Shape.Rank && !pads.ContainsAnyExcept(0);
        return isNothing ? x : x.Graph.Add(new PadOp(mode, new Sizes(pads.ToArray()), value), x);
    }

    /// <summary>Vectors as the coordinates of a grid, as PyTorch's meshgrid with indexing "ij".</summary>
    /// <param name="vectors">Of one axis each, at least one and at most eight.</param>
    /// <returns>As many values, all of the shape of their lengths; value i repeats vector i along the other axes.</returns>
    /// <exception cref="ShapeException">A value is not a vector, or there are none.</exception>
    public static Value[] Meshgrid(params ReadOnlySpan<Value> vectors)
    {
        var extents = new int[vectors.Length];
        for (int i = 0; i < extents.Length; i++)
        {
            extents[i] = vectors[i].Shape.Rank == 1
                ? vectors[i].Shape[0]
                : throw new ShapeException($"Meshgrid: expected vectors, got {vectors[i].Shape} as value {i}.");
        }

        if (extents.Length is 0 or > Shape.MaxRank)
        {
            throw new ShapeException($"Meshgrid: expected 1 to {Shape.MaxRank} vectors, got {extents.Length}.");
        }

        var grid = new Value[extents.Length];
        for (int i = 0; i < grid.Length; i++)
        {
            var column = new int[extents.Length];
            Array.Fill(column, 1);
            column[i] = extents[i];
            Value vector = vectors[i];
            grid[i] = vector.Graph.Compose(() => vector.Reshape(column).Expand(extents));
        }

        return grid;
    }

    /// <summary>All axes counted from the front, each at most once.</summary>
    private static int[] Normalize(string name, Shape shape, ReadOnlySpan<int> axes)
    {
        var normalized = new int[axes.Length];
        for (int i = 0; i < normalized.Length; i++)
        {
            normalized[i] = shape.NormalizeAxis(axes[i], name);
        }

        return normalized.Distinct().Count() == normalized.Length
            ? normalized
            : throw new ShapeException($"{name}: expected different axes of {shape}, got [{string.Join(", ", axes.ToArray())}].");
    }

    private static Sizes FromTheEnd(Shape shape, int[] axes) => new(Array.ConvertAll(axes, axis => axis - shape.Rank));

    /// <summary>Neighboring axes from one on, each repeated so often.</summary>
    private static Value TileSome(Value x, int first, ReadOnlySpan<int> repeats)
    {
        List<int> apart = [.. x.Shape[..first]], repeated = [.. x.Shape[..first]], joined = [.. x.Shape[..first]];
        for (int i = 0; i < repeats.Length; i++)
        {
            int extent = x.Shape[first + i];
            if (Dim.IsSymbol(extent) && repeats[i] != 1)
            {
                // Its multiple has no name yet, so that the copies are joined.
                Value tiled = TileAlone(x, first + i, repeats[i]);
                int[] others = repeats.ToArray();
                others[i] = 1;
                return TileSome(tiled, first, others);
            }

            if (repeats[i] != 1)
            {
                apart.Add(1);
                repeated.Add(repeats[i]);
            }

            apart.Add(extent);
            repeated.Add(extent);
            joined.Add(repeats[i] == 1 ? extent : Multiple(x.Shape, extent, repeats[i]));
        }

        int end = first + repeats.Length;
        return apart.Count == end
            ? x
            : x.Reshape([.. apart, .. x.Shape[end..]]).Expand([.. repeated, .. x.Shape[end..]])
                .Reshape([.. joined, .. x.Shape[end..]]);
    }

    /// <summary>Copies joined along one axis, for shapes that have no room for another, and symbols.</summary>
    private static Value TileAlone(Value x, int axis, int repeats)
    {
        if (repeats == 0)
        {
            return x.Slice(axis, 0, 0);
        }

        var copies = new Value[repeats];
        Array.Fill(copies, x);
        return Operators.Concat(axis, copies);
    }

    private static int Multiple(Shape shape, int extent, int repeats) => (long)extent * repeats <= int.MaxValue
        ? extent * repeats
        : throw new ShapeException($"Tile: {repeats} times the extent {extent} of {shape} is more than {int.MaxValue}.");
}
