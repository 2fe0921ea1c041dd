namespace FastNN.Kernels;

/// <summary>
/// What a plan has to know of a device before anything runs on it: sizes of scratch and of what forward leaves for backward.
/// Answers are pure functions of the geometry.
/// </summary>
internal interface IPlanning
{
    /// <summary>Bytes of scratch that a pass of a convolution needs.</summary>
    long Conv2DWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass);

    /// <summary>
    /// Whether a pass of a convolution takes the filter as [OC, KH, KW, C / groups], and would have to transpose it each time.
    /// </summary>
    bool WantsTransposedFilter(in Conv2DGeometry geometry, ConvolutionPass pass);

    /// <summary>
    /// Whether bias and activation of a product [m, k] [k, n] are a pass of their own behind it, which a plan may join with
    /// others.
    /// </summary>
    bool FinishesProductApart(long m, int k, int n);

    /// <summary>
    /// Whether an addition in front of a normalization of rows of so many elements becomes part of it, as both are passes of
    /// their own that cost a launch.
    /// </summary>
    bool AddsInNormalization(int length);

    /// <summary>Whether products and convolutions may apply a function to their sums before these go to memory.</summary>
    bool AppliesBehindProducts(Activation activation);

    /// <summary>
    /// Whether a convolution in inference may hand its rows to a max pooling while they are in the cache, rather than write them
    /// all: <see cref="IWindows.Conv2DMaxPoolForward"/>.
    /// </summary>
    bool PoolsBehindConvolution(in Conv2DGeometry convolution, in Pool2DGeometry pooling) => false;

    /// <summary>
    /// Whether a 1x1 convolution in inference may hand its rows to a depthwise one while they are in the cache, rather than write
    /// them all: <see cref="IWindows.Conv2DDepthwiseForward"/>.
    /// </summary>
    bool FiltersBehindProduct(in Conv2DGeometry product, in Conv2DGeometry depthwise) => false;

    /// <summary>Bytes that hold the winners of a max pooling.</summary>
    long MaxPool2DWinnerBytes(in Pool2DGeometry geometry);

    /// <summary>Bytes that forward of a recurrent sequence leaves for backward, or works in where none follows.</summary>
    long RecurrenceSavedBytes(RecurrenceGeometry geometry, bool training);

    /// <summary>Bytes of scratch that a pass of a recurrent sequence needs.</summary>
    long RecurrenceWorkspaceBytes(RecurrenceGeometry geometry, bool backward);
}
