namespace FastNN.Kernels;

/// <summary>
/// A reduction over some axes: how the input's elements and the outputs they belong to lie along the joined axes.
/// </summary>
internal sealed unsafe class ReduceGeometry
{
    /// <param name="x">The input's shape.</param>
    /// <param name="reduced">Bit i: axis i is reduced.</param>
    public ReduceGeometry(Shape x, int reduced)
    {
        long output = 1;
        Span<long> outputs = stackalloc long[Shape.MaxRank];
        for (int axis = x.Rank - 1; axis >= 0; axis--)
        {
            bool kept = (reduced & (1 << axis)) == 0;
            outputs[axis] = kept ? output : 0;
            output *= kept ? x[axis] : 1;
        }

        Outputs = output;
        StridedAxes axes = default, kept0 = default, reduced0 = default;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            axes.Append(x[axis], x.Product(axis + 1, x.Rank), outputs[axis]);
        }

        Terms = x.Count == 0 ? 0 : x.Count / Math.Max(1, Outputs);
        IsInnerReduced = axes.Rank == 0 || axes.Second[axes.Rank - 1] == 0;
        for (int axis = 0; axis < axes.Rank - 1; axis++)
        {
            if (axes.Second[axis] == 0)
            {
                reduced0.Append(axes.Extents[axis], axes.First[axis], 0);
            }
            else
            {
                kept0.Append(axes.Extents[axis], axes.First[axis], axes.Second[axis]);
            }
        }

        (Axes, OuterKept, OuterReduced) = (axes, kept0, reduced0);
    }

    /// <summary>All joined axes. First: the input's strides. Second: the output's, 0 along reduced axes.</summary>
    public StridedAxes Axes { get; }

    /// <summary>The kept axes in front of the innermost; First: the input's strides.</summary>
    public StridedAxes OuterKept { get; }

    /// <summary>The reduced axes in front of the innermost; First: the input's strides.</summary>
    public StridedAxes OuterReduced { get; }

    /// <summary>Whether the innermost axis is reduced, so that terms are neighbors; otherwise outputs are.</summary>
    public bool IsInnerReduced { get; }

    /// <summary>The number of outputs.</summary>
    public long Outputs { get; }

    /// <summary>The number of terms of each.</summary>
    public long Terms { get; }
}
