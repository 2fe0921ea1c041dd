using FastNN.Ops;

namespace FastNN;

/// <summary>
/// Elements in order, as fluent calls on values. Equal ones keep the order of their places, and NaN is above all others, as in
/// PyTorch; the gradient of a value goes to the place where it stood.
/// </summary>
public static class SortOperators
{
    /// <summary>The elements along an axis in order, and their places.</summary>
    /// <param name="x">Float32 with at least one axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end. Any other is moved to the end and back.</param>
    /// <param name="descending">The largest first; default false.</param>
    /// <returns>The values, and of Int32 where they stood along the axis; both of x's shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or x is not Float32.</exception>
    public static (Value Values, Value Indices) Sort(this Value x, int axis = -1, bool descending = false) =>
        Along(x, axis, new SortOp(Kept: null, descending));

    /// <summary>Where the elements along an axis stand, in their order. No gradient.</summary>
    /// <param name="x">Float32 with at least one axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end.</param>
    /// <param name="descending">The largest first; default false.</param>
    /// <returns>Int32 of x's shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or x is not Float32.</exception>
    public static Value ArgSort(this Value x, int axis = -1, bool descending = false) => x.Sort(axis, descending).Indices;

    /// <summary>The k largest or smallest elements along an axis, in order, and their places.</summary>
    /// <param name="x">Float32 with at least one axis.</param>
    /// <param name="k">0 to the extent of the axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end. Any other is moved to the end and back.</param>
    /// <param name="largest">The largest, the largest of them first, or else the smallest; default true.</param>
    /// <returns>The values, and of Int32 where they stood along the axis; k of them along it.</returns>
    /// <exception cref="ShapeException">The axis or k is out of range, or x is not Float32.</exception>
    public static (Value Values, Value Indices) TopK(this Value x, int k, int axis = -1, bool largest = true) =>
        Along(x, axis, new SortOp(k, largest));

    private static (Value Values, Value Indices) Along(Value x, int axis, SortOp op)
    {
        ArgumentNullException.ThrowIfNull(x);
        int at = x.Shape.NormalizeAxis(axis, op.Name);
        bool isLast = at == x.Shape.Rank - 1;
        Value[] outputs = x.Graph.AddNode(op, isLast ? x : x.Transpose(at, -1));
        return isLast ? (outputs[0], outputs[1]) : (outputs[0].Transpose(at, -1), outputs[1].Transpose(at, -1));
    }
}
