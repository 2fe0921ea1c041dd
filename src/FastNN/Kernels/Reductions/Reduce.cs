using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IReductions
{
    /// <summary>
    /// y = scale * the fold of x's terms for each output, or the square root of that. Sums are blocked and their order depends on
    /// the shapes alone. An output without terms is the fold of none.
    /// </summary>
    /// <param name="center">A number for each output, for the folds that have one.</param>
    void Fold(FoldFunction fold, Tensor x, Tensor? center, Tensor y, ReduceGeometry geometry, float scale, bool root);

    /// <summary>
    /// dX (=|+=) the slope of each of x's elements. Operands that a slope does not read may be any tensor. dX may be dY where
    /// nothing is reduced and it does not accumulate.
    /// </summary>
    void Spread(
        SlopeFunction slope, Tensor x, Tensor y, Tensor saved, Tensor more, Tensor dY, Tensor dX, ReduceGeometry geometry,
        float scale, bool accumulate);
}
