using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// The operands of a normalization. Along the axes, first: x, dense; second: mean and scale, 0 along the axes they are taken
/// over; third: weight and bias.
/// </summary>
/// <param name="Scale">1 / sqrt(variance + eps).</param>
internal readonly record struct NormalizationOperands(StridedAxes Axes, Tensor X, Tensor Mean, Tensor Scale, Tensor? Weight);

internal partial interface INormalizations
{
    /// <summary>scale = 1 / sqrt(variance + eps), element by element; both may be one tensor.</summary>
    void NormalizationScale(Tensor variance, float eps, Tensor scale);

    /// <summary>y = (x - mean) scale weight + bias; without a weight or bias 1 and 0. y may be x.</summary>
    void NormalizationForward(in NormalizationOperands operands, Tensor? bias, Tensor y);

    /// <summary>
    /// products = dY (x - mean) scale, and weighted = dY weight; where <paramref name="weighted"/> is null, products are of dY
    /// without the weight, else with.
    /// </summary>
    void NormalizationProducts(in NormalizationOperands operands, Tensor dY, Tensor products, Tensor? weighted);

    /// <summary>
    /// dX (=|+=) scale (dY weight - sum / n - (x - mean) scale product / n), the sums being those of dY weight and of its
    /// products with the normalized x over the axes of the mean; without them (statistics that are constants) scale dY weight.
    /// </summary>
    /// <param name="inverseCount">1 / n.</param>
    void NormalizationBackward(
        in NormalizationOperands operands, Tensor dY, Tensor? sum, Tensor? product, float inverseCount, Tensor dX,
        bool accumulate);

    /// <summary>updated = (1 - momentum) running + momentum factor batch, element by element.</summary>
    void RunningStatistics(Tensor running, Tensor batch, float momentum, float factor, Tensor updated);
}
