using FastNN.Ops;

namespace FastNN;

/// <summary>
/// Elements by their indices, as fluent calls on values. Indices are Int32 or Int64. Those of an input are checked where a
/// session or step is given them, on every device; one that is computed on the device and out of range is an error on the CPU,
/// and on a GPU it gives NaN where it picks and is passed over where it puts.
/// </summary>
public static class IndexOperators
{
    /// <summary>
    /// Elements along one axis, one for each index, as PyTorch's gather: <c>y[i, j, k] = x[i, index[i, j, k], k]</c> for axis 1.
    /// </summary>
    /// <param name="x">Any type.</param>
    /// <param name="axis">Which; negative axes count from the end.</param>
    /// <param name="index">x's axes, and outside the axis at most its extents.</param>
    /// <returns>A value of the indices' shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or shapes or types do not fit.</exception>
    public static Value Gather(this Value x, int axis, Value index) =>
        x.Graph.Add(new GatherOp(x.Shape.NormalizeAxis(axis, nameof(Gather)) - x.Shape.Rank), x, index);

    /// <summary>
    /// Slices along one axis by their numbers, as PyTorch's index_select; for indices of any shape as NumPy's take and ONNX'
    /// Gather.
    /// </summary>
    /// <param name="x">Any type.</param>
    /// <param name="axis">Which; negative axes count from the end.</param>
    /// <param name="index">Any shape.</param>
    /// <returns>A value of x's shape with the indices' in place of the axis.</returns>
    /// <exception cref="ShapeException">The axis is out of range, the indices are not integers, or there are more than eight
    /// axes.</exception>
    public static Value IndexSelect(this Value x, int axis, Value index) =>
        x.Graph.Add(new IndexSelectOp(x.Shape.NormalizeAxis(axis, nameof(IndexSelect)) - x.Shape.Rank), x, index);

    /// <summary>
    /// x with some elements replaced, as PyTorch's scatter: <c>y[i, index[i, j, k], k] = source[i, j, k]</c> for axis 1. Of
    /// several with one place the last counts, and has the gradient.
    /// </summary>
    /// <param name="x">Any type.</param>
    /// <param name="axis">Which; negative axes count from the end.</param>
    /// <param name="index">x's axes, outside the axis at most its extents, and along all at most the source's.</param>
    /// <param name="source">Of x's type.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or shapes or types do not fit.</exception>
    public static Value Scatter(this Value x, int axis, Value index, Value source) =>
        x.Graph.Add(new ScatterOp(x.Shape.NormalizeAxis(axis, nameof(Scatter)) - x.Shape.Rank, Adds: false), x, index, source);

    /// <summary>
    /// x with others added to some elements, as PyTorch's scatter_add: <c>y[i, index[i, j, k], k] += source[i, j, k]</c> for
    /// axis 1, in the order of the indices, so that the same bits come out every time.
    /// </summary>
    /// <param name="x">Float32.</param>
    /// <param name="axis">Which; negative axes count from the end.</param>
    /// <param name="index">x's axes, outside the axis at most its extents, and along all at most the source's.</param>
    /// <param name="source">Float32.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or shapes or types do not fit.</exception>
    public static Value ScatterAdd(this Value x, int axis, Value index, Value source) =>
        x.Graph.Add(new ScatterOp(x.Shape.NormalizeAxis(axis, nameof(ScatterAdd)) - x.Shape.Rank, Adds: true), x, index, source);

    /// <summary>1 at each index and 0 elsewhere, along a new last axis, as PyTorch's one_hot, in Float32.</summary>
    /// <param name="index">Any shape of at most seven axes.</param>
    /// <param name="classes">The new axis' extent: indices are 0 to classes - 1.</param>
    /// <returns>A value of the indices' shape with the classes behind it.</returns>
    /// <exception cref="ShapeException">There are no classes, or the indices are not integers.</exception>
    public static Value OneHot(this Value index, int classes) => index.Graph.Add(new OneHotOp(classes), index);
}
