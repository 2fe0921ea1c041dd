using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>The passes of a convolution.</summary>
internal enum ConvolutionPass
{
    Forward,
    BackwardData,
    BackwardFilter,
}

internal partial interface IWindows
{
    /// <summary>
    /// y = max of f(conv(x, weight) + bias) over each window of the pooling, and with <paramref name="relu"/> max(0, that). For
    /// devices that said so (<see cref="IPlanning.PoolsBehindConvolution"/>).
    /// </summary>
    void Conv2DMaxPoolForward(
        in Conv2DGeometry convolution, in Pool2DGeometry pooling, Tensor x, Tensor weight, Tensor? bias, Tensor y,
        Activation activation, bool relu, Tensor? workspace) =>
        throw new NotSupportedException("Conv2D: this device computes a pooling apart from the convolution before it.");

    /// <summary>
    /// y = f(conv(g(conv(x, weight) + bias), filter) + filterBias), where the first is a matrix product over the pixels, g is
    /// <paramref name="between"/> and the second is depthwise. For devices that said so
    /// (<see cref="IPlanning.FiltersBehindProduct"/>).
    /// </summary>
    void Conv2DDepthwiseForward(
        in Conv2DGeometry product, in Conv2DGeometry depthwise, Tensor x, Tensor weight, Tensor? bias, Activation between,
        Tensor filter, Tensor? filterBias, Tensor y, Activation activation) =>
        throw new NotSupportedException("Conv2D: this device computes a depthwise convolution apart from the product before it.");

    /// <summary>
    /// y [N, OH, OW, OC] = f(x [N, H, W, C] * weight [KH, KW, C / groups, OC] + bias [OC]); f(y + that) where it accumulates.
    /// Where the geometry has a depth, samples without an image in x may be left as they are, so that such a pass accumulates.
    /// </summary>
    void Conv2DForward(
        in Conv2DGeometry geometry, Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation, Tensor? workspace,
        bool accumulate = false);

    /// <summary>
    /// dX (=|+=) the gradient of x. A transposed convolution's forward, which has a bias [C] and an activation:
    /// dX = f(gradient + bias), or f(dX + that). Where the geometry has a depth, images that no sample meets stay as they are.
    /// </summary>
    void Conv2DBackwardData(
        in Conv2DGeometry geometry, Tensor dY, Tensor weight, Tensor dX, bool accumulate, Tensor? workspace,
        Tensor? bias = null, Activation activation = default);

    /// <summary>
    /// dWeight (=|+=) the gradient of the filter, dBias (=|+=) the sums of dY per channel. dBias may be absent.
    /// </summary>
    void Conv2DBackwardFilter(
        in Conv2DGeometry geometry, Tensor x, Tensor dY, Tensor dWeight, Tensor? dBias, bool accumulateWeight,
        bool accumulateBias, Tensor? workspace);

    /// <summary>
    /// Each filter [.., OC] as [OC, ..] (=), or back (=|+=), for convolutions whose geometry says that theirs are transposed
    /// (<see cref="IPlanning.WantsTransposedFilter"/>). Pairs without a source or target are left out.
    /// </summary>
    /// <param name="back">Whether the sources are [OC, ..].</param>
    /// <param name="accumulate">For each target whether it is added to; empty for none.</param>
    void TransposeFilters(
        ReadOnlySpan<Tensor?> from, ReadOnlySpan<Tensor?> to, bool back, ReadOnlySpan<bool> accumulate);
}
