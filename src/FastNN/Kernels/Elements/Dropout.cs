using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// Which random numbers a dropout draws: Philox4x32-10 keyed by the seed, with the counter (element / 4, step, stream).
/// </summary>
/// <param name="Rate">Probability that an element is dropped, in [0, 1).</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Stream">Tells the dropouts of one graph apart.</param>
internal readonly record struct DropoutOptions(float Rate, ulong Seed, uint Stream);

internal partial interface IElements
{
    /// <summary>
    /// y = x / (1 - rate) where the element's uniform number in [0, 1) is at least rate, else 0 (inverted dropout, Srivastava et
    /// al. 2014). Element i uses word i % 4 of Philox(counter = (i / 4, low step, high step, stream), key = seed), as (word >> 8)
    /// * 2^-24.
    /// </summary>
    /// <param name="step">Int32 [2]: low and high half of the step count, in device memory.</param>
    void DropoutForward(in DropoutOptions options, Tensor step, Tensor x, Tensor y);

    /// <summary>
    /// dX (=|+=) dY under the same mask, drawn again rather than stored. dX and dY may be one tensor when not accumulating.
    /// </summary>
    void DropoutBackward(in DropoutOptions options, Tensor step, Tensor dY, Tensor dX, bool accumulate);
}
