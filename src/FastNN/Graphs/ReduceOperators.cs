using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN;

/// <summary>
/// Reductions over axes, as fluent calls on values. Without axes they reduce all of them; negative axes count from the end.
/// </summary>
public static class ReduceOperators
{
    /// <summary>The sum along axes; Int64 of Int32 and Bool, as in PyTorch.</summary>
    /// <param name="x">Any shape of Float32, Int32 or Bool.</param>
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

    /// <summary>
    /// The norm along axes, as PyTorch's vector_norm: of order p the p-th root of the sum of |x|^p; of order 0 the number of
    /// elements other than 0, of infinite order the largest or, where it is negative, the smallest magnitude. Orders 1 and 2
    /// take one pass.
    /// </summary>
    /// <param name="x">Any shape; of infinite order at least one element along the axes.</param>
    /// <param name="order">Any number but NaN; default 2.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>A value without these axes. Its gradient is 0 where it is 0, and of order 0 everywhere.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice, or there are no elements.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The order is NaN.</exception>
    public static Value Norm(this Value x, float order = 2, ReadOnlySpan<int> axes = default, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        switch (order)
        {
            case 0:
                return Reduce(x.NotEqual(0).Cast(DType.Float32), ReduceFunction.Sum, axes, keepDims);
            case 1:
                return Reduce(x, ReduceFunction.Norm1, axes, keepDims);
            case 2:
                return Reduce(x, ReduceFunction.Norm2, axes, keepDims);
            case float.PositiveInfinity:
                return Reduce(x.Abs(), ReduceFunction.Max, axes, keepDims);
            case float.NegativeInfinity:
                return Reduce(x.Abs(), ReduceFunction.Min, axes, keepDims);
            case float.NaN:
                throw new ArgumentOutOfRangeException(nameof(order), "Norm: expected an order that is a number, got NaN.");
            default:
                // The root's slope is infinite at 0, where the norm has the gradient 0: 1 takes its place there.
                Value sum = Reduce(x.Abs().Pow(order), ReduceFunction.Sum, axes, keepDims), isZero = sum.Equal(0);
                return ShapeOperators.Where(isZero, 0, ShapeOperators.Where(isZero, 1, sum).Pow(1 / order));
        }
    }

    /// <summary>Whether an element other than 0 is along the axes; false where there are none.</summary>
    /// <param name="x">Any shape of Bool, Int32 or Float32.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>Bool without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice, or the type does not fit.</exception>
    public static Value Any(this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Truth(x, IntegerFold.Any, axes, keepDims);

    /// <summary>Whether no element along the axes is 0; true where there are none.</summary>
    /// <param name="x">Any shape of Bool, Int32 or Float32.</param>
    /// <param name="axes">Which; default all.</param>
    /// <param name="keepDims">Keep these axes with extent 1; default false.</param>
    /// <returns>Bool without these axes.</returns>
    /// <exception cref="ShapeException">An axis is out of range or given twice, or the type does not fit.</exception>
    public static Value All(this Value x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Truth(x, IntegerFold.All, axes, keepDims);

    /// <summary>The sums of the elements up to each place along an axis, as PyTorch's cumsum and ONNX's CumSum.</summary>
    /// <param name="x">At least one axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end.</param>
    /// <param name="exclusive">Leave each place out of its own sum, so that the first is 0; default false.</param>
    /// <param name="reverse">From the last place to the first; default false.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    public static Value CumSum(this Value x, int axis = -1, bool exclusive = false, bool reverse = false) =>
        Scan(x, ScanFunction.Sum, axis, exclusive, reverse);

    /// <summary>
    /// The products of the elements up to each place along an axis, as PyTorch's cumprod; the gradient is right where elements
    /// are 0, too.
    /// </summary>
    /// <param name="x">At least one axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end.</param>
    /// <param name="exclusive">Leave each place out of its own product, so that the first is 1; default false.</param>
    /// <param name="reverse">From the last place to the first; default false.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    public static Value CumProd(this Value x, int axis = -1, bool exclusive = false, bool reverse = false) =>
        Scan(x, ScanFunction.Product, axis, exclusive, reverse);

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
        x.Graph.Add(new ArgExtremeOp(Largest: true, x.Shape.NormalizeAxis(axis, nameof(ArgMax)) - x.Shape.Rank, keepDims), x);

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
        x.Graph.Add(new ArgExtremeOp(Largest: false, x.Shape.NormalizeAxis(axis, nameof(ArgMin)) - x.Shape.Rank, keepDims), x);

    private static Value Scan(Value x, ScanFunction function, int axis, bool exclusive, bool reverse)
    {
        ArgumentNullException.ThrowIfNull(x);
        string name = function == ScanFunction.Sum ? nameof(CumSum) : nameof(CumProd);
        return x.Graph.Add(new ScanOp(function, x.Shape.NormalizeAxis(axis, name) - x.Shape.Rank, exclusive, reverse), x);
    }

    private static Value Truth(Value x, IntegerFold fold, ReadOnlySpan<int> axes, bool keepDims)
    {
        ArgumentNullException.ThrowIfNull(x);
        Value truths = x.Type == DType.Float32 ? x.NotEqual(0) : x;
        return x.Graph.Add(new ReduceIntegersOp(fold, Mask(fold.ToString(), x.Shape, axes), keepDims), truths);
    }

    private static Value Reduce(Value x, ReduceFunction function, ReadOnlySpan<int> axes, bool keepDims, int correction = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        int mask = Mask(ReduceOp.NameOf(function), x.Shape, axes);
        IntegerFold? fold = function switch
        {
            ReduceFunction.Sum => IntegerFold.Sum,
            ReduceFunction.Prod => IntegerFold.Prod,
            ReduceFunction.Min => IntegerFold.Min,
            ReduceFunction.Max => IntegerFold.Max,
            _ => null,
        };
        return x.Type is DType.Int32 or DType.Bool && fold is { } exact
            ? x.Graph.Add(new ReduceIntegersOp(exact, mask, keepDims), x)
            : x.Graph.Add(new ReduceOp(function, mask, keepDims, correction), x);
    }

    /// <summary>Bit i: axis -1 - i.</summary>
    private static int Mask(string name, Shape shape, ReadOnlySpan<int> axes)
    {
        int rank = shape.Rank, mask = axes.Length == 0 ? (1 << rank) - 1 : 0;
        foreach (int axis in axes)
        {
            int bit = 1 << (rank - 1 - shape.NormalizeAxis(axis, name));
            mask = (mask & bit) == 0
                ? mask | bit
                : throw new ShapeException($"{name}: expected each axis of {shape} at most once, got axis {axis} twice.");
        }

        return mask;
    }
}
