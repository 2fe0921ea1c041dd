using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>What becomes of the terms of an output. Functions/Folds.cs and kernels/folds.cuh compute them, in this order.</summary>
internal enum FoldKind
{
    Sum,
    Largest,
    Smallest,

    /// <summary>The largest, or 0 where that is infinite: what exponentials are taken relative to.</summary>
    Anchor,

    /// <summary>How many terms equal the center.</summary>
    Equal,

    /// <summary>The sum of (x - center)^2.</summary>
    CenteredSquares,

    /// <summary>center + log of the sum of exp(x - center).</summary>
    LogOfExponentials,
    Magnitudes,
    Squares,
    Product,

    /// <summary>The product of all terms but zeros.</summary>
    NonZeroProduct,
    Zeros,
}

/// <summary>The gradient of a term, from x, the output y, what was saved, and dY.</summary>
internal enum SlopeKind
{
    /// <summary>scale dY.</summary>
    Scaled,

    /// <summary>dY / saved where x equals y, else 0: ties share.</summary>
    Extreme,

    /// <summary>scale (x - saved) dY.</summary>
    Centered,

    /// <summary>scale (x - saved) dY / y, 0 where y is.</summary>
    CenteredOverResult,

    /// <summary>exp(x - y) dY.</summary>
    Exponential,

    /// <summary>sign(x) dY.</summary>
    Sign,

    /// <summary>x dY / y, 0 where y is.</summary>
    OverResult,

    /// <summary>y dY / x; where x is 0, saved dY if it is the only 0 (more), else 0.</summary>
    Product,
}

internal partial interface IReductions
{
    /// <summary>
    /// y = scale * the fold of x's terms for each output, or the square root of that. Sums are blocked and their order depends on the shapes alone. An
    /// output without terms is the fold of none.
    /// </summary>
    /// <param name="center">A number for each output, for the folds that have one.</param>
    void Fold(FoldKind kind, Tensor x, Tensor? center, Tensor y, ReduceGeometry geometry, float scale, bool root);

    /// <summary>
    /// dX (=|+=) the slope of each of x's elements. Operands that a slope does not read may be any tensor. dX may be dY where nothing is reduced and it does
    /// not accumulate.
    /// </summary>
    void Spread(
        SlopeKind kind, Tensor x, Tensor y, Tensor saved, Tensor more, Tensor dY, Tensor dX, ReduceGeometry geometry, float scale, bool accumulate);
}
