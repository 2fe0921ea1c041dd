using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// What a reduction of integers or truths gives of its terms; all are exact, so that their order does not matter.
/// </summary>
internal enum IntegerFold
{
    /// <summary>Int64; 0 without terms.</summary>
    Sum,

    /// <summary>Int64, which wraps; 1 without terms.</summary>
    Prod,

    Min,

    Max,

    /// <summary>Bool: whether one is not 0; false without terms.</summary>
    Any,

    /// <summary>Bool: whether none is 0; true without terms.</summary>
    All,
}

/// <summary>How the terms of each output lie.</summary>
internal sealed unsafe class IntegerReduceGeometry
{
    /// <param name="x">The input's shape.</param>
    /// <param name="reduced">Bit i: axis i is reduced.</param>
    public IntegerReduceGeometry(Shape x, int reduced)
    {
        StridedAxes kept = default, terms = default;
        long outputs = 1;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            long stride = x.Product(axis + 1, x.Rank);
            if ((reduced & (1 << axis)) != 0)
            {
                terms.Append(x[axis], stride, 0);
            }
            else
            {
                kept.Append(x[axis], stride, 0);
                outputs *= x[axis];
            }
        }

        IsColumns = kept.Rank > 0 && kept.First[kept.Rank - 1] == 1;
        (Kept, Reduced, Outputs) = (kept, terms, Tensor.Index(outputs));
        Terms = Tensor.Index(terms.Count);
    }

    /// <summary>The axes that stay; First: the input's strides.</summary>
    public StridedAxes Kept { get; }

    /// <summary>The axes that go; First: the input's strides.</summary>
    public StridedAxes Reduced { get; }

    public int Outputs { get; }

    public int Terms { get; }

    /// <summary>Whether outputs lie side by side in the input, rather than the terms of each.</summary>
    public bool IsColumns { get; }
}

internal partial interface IReductions
{
    /// <summary>
    /// y = the fold of x's terms for each output. x is Int32 or Bool; y Int64 of sums and products, Bool of any and all, else of
    /// x's type.
    /// </summary>
    void FoldIntegers(IntegerFold fold, Tensor x, Tensor y, IntegerReduceGeometry geometry);
}
