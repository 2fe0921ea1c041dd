using FastNN.Ops;

namespace FastNN;

/// <summary>
/// Reductions over axes, as fluent calls on values. Without axes they reduce all of them; negative axes count from the end.
/// </summary>
public static class ReduceOperators
{
    /// <summary>The sum along axes.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>A value without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice.</exception>
    public static Value Sum(this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Reduce(x, ReduceFunction.Sum, axes, keepDims);

    /// <summary>The mean along axes.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>A value without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice.</exception>
    public static Value Mean(this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Reduce(x, ReduceFunction.Mean, axes, keepDims);

    /// <summary>
    /// The largest along axes, NaN if there is one. Equal ones share the gradient evenly, as with PyTorch's amax.
    /// </summary>
    /// <param name="x">At least one element along the axes.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>A value without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice, or there are no elements.</exception>
    public static Value Max(this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Reduce(x, ReduceFunction.Max, axes, keepDims);

    /// <summary>
    /// The smallest along axes, NaN if there is one. Equal ones share the gradient evenly, as with PyTorch's amin.
    /// </summary>
    /// <param name="x">At least one element along the axes.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>A value without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice, or there are no elements.</exception>
    public static Value Min(this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Reduce(x, ReduceFunction.Min, axes, keepDims);

    /// <summary>The product along axes; its gradient is right where elements are 0, too.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>A value without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice.</exception>
    public static Value Prod(this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Reduce(x, ReduceFunction.Prod, axes, keepDims);

    /// <summary>The variance along axes, in two passes.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <param name="correction">The divisor is the number of elements less this; default 1 (unbiased), as in PyTorch.</param>
    /// <returns>A value without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice.</exception>
    public static Value Variance(this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false, int correction = 1) =>
        Reduce(x, ReduceFunction.Variance, axes, keepDims, correction);

    /// <summary>The square root of the variance; its gradient is 0 where it is 0, as in PyTorch.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <param name="correction">The divisor is the number of elements less this; default 1 (unbiased), as in PyTorch.</param>
    /// <returns>A value without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice.</exception>
    public static Value StandardDeviation(
        this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false, int correction = 1) =>
        Reduce(x, ReduceFunction.StandardDeviation, axes, keepDims, correction);

    /// <summary>log(sum(exp(x))) along axes, relative to the largest, so that nothing overflows.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>A value without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice.</exception>
    public static Value LogSumExp(this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Reduce(x, ReduceFunction.LogSumExp, axes, keepDims);

    /// <summary>The norm along axes: of order 1 the sum of magnitudes, of order 2 the root of the sum of squares.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="order">1 or 2; default 2.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>A value without these axes. Its gradient is 0 where it is 0.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The order is another.</exception>
    public static Value Norm(this Value x, int order = 2, ReadOnlySpan<int> axes = default, bool keepDims = false) => Reduce(
        x, order switch
        {
            1 => ReduceFunction.Norm1,
            2 => ReduceFunction.Norm2,
            _ => throw new ArgumentOutOfRangeException(nameof(order), $"Norm: expected order 1 or 2, got {order}."),
        }, axes, keepDims);

    /// <summary>
    /// The place of the largest element along an axis, the first of equal ones, NaN before all others, as PyTorch's argmax. No
    /// gradient.
    /// </summary>
    /// <param name="x">At least one element along the axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end.</param>
    /// <param name="keepDims">Keep the axis with extent 1; default false.</param>
    /// <returns>Int64 indices along the axis, of x's shape without it.</returns>
    /// <exception cref="ShapeException">The axis is out of range or empty.</exception>
    public static Value ArgMax(this Value x, int axis = -1, bool keepDims = false) =>
        x.Graph.Add(new ArgExtremeOp(Largest: true, x.Shape.NormalizeAxis(axis) - x.Shape.Rank, keepDims), x);

    /// <summary>
    /// The place of the smallest element along an axis, the first of equal ones, NaN before all others, as PyTorch's argmin. No
    /// gradient.
    /// </summary>
    /// <param name="x">At least one element along the axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end.</param>
    /// <param name="keepDims">Keep the axis with extent 1; default false.</param>
    /// <returns>Int64 indices along the axis, of x's shape without it.</returns>
    /// <exception cref="ShapeException">The axis is out of range or empty.</exception>
    public static Value ArgMin(this Value x, int axis = -1, bool keepDims = false) =>
        x.Graph.Add(new ArgExtremeOp(Largest: false, x.Shape.NormalizeAxis(axis) - x.Shape.Rank, keepDims), x);

    private static Value Reduce(Value x, ReduceFunction function, ReadOnlySpan<int> axes, bool keepDims, int correction = 0)
    {
        int rank = x.Shape.Rank, mask = axes.Length == 0 ? (1 << rank) - 1 : 0;
        foreach (int axis in axes)
        {
            int bit = 1 << (rank - 1 - x.Shape.NormalizeAxis(axis));
            mask = (mask & bit) == 0
                ? mask | bit
                : throw new ShapeException($"{function}: expected each axis of {x.Shape} at most once, got axis {axis} twice.");
        }

        return x.Graph.Add(new ReduceOp(function, mask, keepDims, correction), x);
    }
}
