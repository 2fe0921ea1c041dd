using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// What decides whether a training step may change anything. All of it lies in device memory, so that a captured step can be
/// repeated.
/// </summary>
internal partial interface IUpdates
{
    /// <summary>
    /// Of the results [4] the first becomes the loss, the second the norm of all gradients, the last the guard: 0, or NaN where
    /// one of the two is not finite. The guard also becomes the last of each group's scalars, where the optimizers' updates look
    /// for it.
    /// </summary>
    /// <param name="loss">[], or null for a step that has none.</param>
    /// <param name="scalars">Float32 [groups, <see cref="UpdateScalars.Row"/>].</param>
    void GuardNorm(Tensor gradients, Tensor? loss, Tensor results, Tensor scalars);

    /// <summary>The third of the results becomes the largest magnitude of all gradients; a NaN may be passed over.</summary>
    void GuardLargest(Tensor gradients, Tensor results);

    /// <summary>
    /// Gradients times a factor, scaled down where their norm would be above the largest, then cut at the largest magnitude.
    /// </summary>
    /// <param name="options">Float32 [4]: factor, largest norm, largest magnitude, and whether the norm is that of
    /// <see cref="GuardLargest"/>.</param>
    /// <param name="results">What <see cref="GuardNorm"/> left.</param>
    void GuardScale(Tensor gradients, Tensor options, Tensor results);

    /// <summary>To = From of each pair, of 4-byte elements and one after the other, unless the guard forbids it.</summary>
    /// <param name="results">What <see cref="GuardNorm"/> left.</param>
    void GuardCopy(ReadOnlySpan<(Tensor From, Tensor To)> copies, Tensor results);
}
