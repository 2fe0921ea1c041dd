using FastNN.Ops;

namespace FastNN;

/// <summary>Operators that move, select and convert elements, as fluent calls on values.</summary>
public static partial class ShapeOperators
{
    /// <summary>Exchanges two axes.</summary>
    /// <param name="x">At least two axes, unless both are given.</param>
    /// <param name="axis0">One axis; negative axes count from the end. Default the last but one.</param>
    /// <param name="axis1">The other; default the last.</param>
    /// <returns>A value whose two axes are exchanged.</returns>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    public static Value Transpose(this Value x, int axis0 = -2, int axis1 = -1)
    {
        int[] order = [.. Enumerable.Range(0, x.Shape.Rank)];
        int first = x.Shape.NormalizeAxis(axis0, nameof(Transpose)), second = x.Shape.NormalizeAxis(axis1, nameof(Transpose));
        (order[first], order[second]) = (order[second], order[first]);
        return x.Permute(order);
    }

    /// <summary>
    /// Puts the axes into another order, as PyTorch's permute: <c>images.Permute(0, 3, 1, 2)</c> makes [N, C, H, W] of [N, H, W,
    /// C].
    /// </summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">The result's axis i is x's axis axes[i]; negative axes count from the end.</param>
    /// <returns>A value with the axes in that order.</returns>
    /// <exception cref="ShapeException">Not every axis is given once.</exception>
    public static Value Permute(this Value x, params ReadOnlySpan<int> axes)
    {
        if (axes.Length != x.Shape.Rank)
        {
            throw new ShapeException(
                $"Permute: expected each of the {x.Shape.Rank} axes of {x.Shape} once, got [{string.Join(", ", axes.ToArray())}].");
        }

        var order = new int[axes.Length];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = x.Shape.NormalizeAxis(axes[i], nameof(Permute));
        }

        if (order.Distinct().Count() != order.Length)
        {
            throw new ShapeException(
                $"Permute: expected each of the {x.Shape.Rank} axes of {x.Shape} once, got [{string.Join(", ", axes.ToArray())}].");
        }

        return order.AsSpan().SequenceEqual(Enumerable.Range(0, x.Shape.Rank).ToArray())
            ? x
            : x.Graph.Add(new PermuteOp(order), x);
    }

    /// <summary>
    /// Part of one axis, as Python's x[start:stop:step]: bounds outside the axis are clamped. Along the first axis with a step of
    /// 1 it is a view, which moves nothing.
    /// </summary>
    /// <param name="x">At least one axis.</param>
    /// <param name="axis">Which; negative axes count from the end.</param>
    /// <param name="start">The first element; negative counts from the end. Default the first in the direction of the
    /// step.</param>
    /// <param name="stop">The first element left out, likewise. Default none.</param>
    /// <param name="step">From element to element; negative walks backwards. Default 1.</param>
    /// <returns>A value with fewer elements along the axis.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or the step is 0.</exception>
    public static Value Slice(this Value x, int axis, int? start = null, int? stop = null, int step = 1)
    {
        int at = x.Shape.NormalizeAxis(axis, nameof(Slice));
        int first = start ?? (step > 0 ? int.MinValue : int.MaxValue), end = stop ?? (step > 0 ? int.MaxValue : int.MinValue);
        return x.Graph.Add(new SliceOp(at - x.Shape.Rank, first, end, step, IsLeading: at == 0 && step == 1), x);
    }

    /// <summary>Parts along one axis. Along the first they are views, which move nothing.</summary>
    /// <param name="x">At least one axis.</param>
    /// <param name="axis">Which; negative axes count from the end.</param>
    /// <param name="sizes">The parts' extents, which add up to the axis'.</param>
    /// <returns>One value per size.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or the sizes do not add up to its extent.</exception>
    public static Value[] Split(this Value x, int axis, params ReadOnlySpan<int> sizes)
    {
        int at = x.Shape.NormalizeAxis(axis, nameof(Split));
        return x.Graph.AddNode(new SplitOp(at - x.Shape.Rank, new Sizes(sizes.ToArray()), IsLeading: at == 0), x);
    }

    /// <summary>Equal parts along one axis, such as queries, keys and values from one product.</summary>
    /// <param name="x">At least one axis.</param>
    /// <param name="parts">How many; divides the axis' extent.</param>
    /// <param name="axis">Default the last; its extent is a number.</param>
    /// <returns>So many values of one shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or its extent is not a multiple.</exception>
    public static Value[] Chunk(this Value x, int parts, int axis = -1)
    {
        int extent = x.Shape[x.Shape.NormalizeAxis(axis, nameof(Chunk))];
        if (parts <= 0 || Dim.IsSymbol(extent) || extent % parts != 0)
        {
            throw new ShapeException($"Chunk: expected a number of parts that divides axis {axis} of {x.Shape}, got {parts}.");
        }

        var sizes = new int[parts];
        Array.Fill(sizes, extent / parts);
        return x.Split(axis, sizes);
    }

    /// <summary>Joins values of one shape along a new axis.</summary>
    /// <param name="axis">Where the new axis stands in the result; negative counts from its end.</param>
    /// <param name="values">One shape.</param>
    /// <returns>A value with one more axis, of extent the number of values.</returns>
    /// <exception cref="ShapeException">The shapes differ, or the place is out of range.</exception>
    public static Value Stack(int axis, params ReadOnlySpan<Value> values)
    {
        if (values.Length == 0)
        {
            throw new ShapeException("Stack: no inputs given.");
        }

        Shape shape = values[0].Shape;
        int at = axis < 0 ? axis + shape.Rank + 1 : axis;
        if ((uint)at > (uint)shape.Rank || shape.Rank == Shape.MaxRank)
        {
            throw new ShapeException(
                $"Stack: expected values of at most {Shape.MaxRank - 1} axes and an axis from {-shape.Rank - 1} to {shape.Rank} for " +
                $"values of shape {shape}, got {axis}.");
        }

        var columns = new Value[values.Length];
        for (int i = 0; i < columns.Length; i++)
        {
            if (values[i].Shape != shape)
            {
                throw new ShapeException($"Stack: expected values of one shape, got {shape} and {values[i].Shape}.");
            }

            columns[i] = values[i].Reshape([.. shape[..at], 1, .. shape[at..]]);
        }

        return values[0].Graph.Compose(() => Operators.Concat(at, columns));
    }

    /// <summary>condition ? a : b, element by element, with NumPy's broadcasting of all three.</summary>
    /// <param name="condition">Bool.</param>
    /// <param name="a">Taken where the condition holds.</param>
    /// <param name="b">Taken elsewhere; of a's type.</param>
    /// <returns>A value of the shape that all three broadcast to.</returns>
    /// <exception cref="ShapeException">The shapes do not broadcast, or the types do not fit.</exception>
    public static Value Where(Value condition, Value a, Value b)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return condition.Graph.Add(new WhereOp(), condition, a, b);
    }

    /// <summary>condition ? a : a number, element by element, with NumPy's broadcasting.</summary>
    /// <param name="condition">Bool.</param>
    /// <param name="a">Taken where the condition holds.</param>
    /// <param name="b">Taken elsewhere, in a's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The condition is not Bool, or the shapes do not broadcast.</exception>
    public static Value Where(Value condition, Value a, float b) => Where(condition, a, NumberLike(a, b));

    /// <summary>condition ? a number : b, element by element, with NumPy's broadcasting.</summary>
    /// <param name="condition">Bool.</param>
    /// <param name="a">Taken where the condition holds, in b's type.</param>
    /// <param name="b">Taken elsewhere.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The condition is not Bool, or the shapes do not broadcast.</exception>
    public static Value Where(Value condition, float a, Value b) => Where(condition, NumberLike(b, a), b);

    /// <summary>condition ? a : b of two numbers, element by element.</summary>
    /// <param name="condition">Bool.</param>
    /// <param name="a">The value where the condition holds.</param>
    /// <param name="b">The value elsewhere.</param>
    /// <returns>Float32 of the condition's shape.</returns>
    /// <exception cref="ShapeException">The condition is not Bool.</exception>
    public static Value Where(Value condition, float a, float b)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Where(condition, condition.Graph.Constant(a), condition.Graph.Constant(b));
    }

    /// <summary>A number in place of the elements that a mask names, as PyTorch's masked_fill; they get no gradient.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="mask">Bool of a shape that broadcasts with x's.</param>
    /// <param name="value">The number, in x's type.</param>
    /// <returns>A value of the shape that both broadcast to.</returns>
    /// <exception cref="ShapeException">The mask is not Bool, or the shapes do not broadcast.</exception>
    public static Value MaskedFill(this Value x, Value mask, float value)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Graph.Compose(() => Where(mask, value, x));
    }

    private static Value NumberLike(Value other, float number)
    {
        ArgumentNullException.ThrowIfNull(other);
        Value constant = other.Graph.Constant(number);
        return other.Type == DType.Float32 ? constant : constant.Cast(other.Type);
    }

    /// <summary>
    /// The same values in another type. Floats become integers by truncation within the type's range, NaN as 0; integers wrap;
    /// everything but 0 is true. Gradients flow between floats.
    /// </summary>
    /// <param name="x">Any shape and type.</param>
    /// <param name="type">The result's type.</param>
    /// <returns>A value of x's shape; x itself if it has the type.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The type is not a member of the enumeration.</exception>
    public static Value Cast(this Value x, DType type) => x.Type == type ? x : x.Graph.Add(new CastOp(type), x);
}
