using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IUpdates
{
    /// <summary>
    /// Of sums [1 + 2 K] the first += the rows of x [..., K], the others, in pairs, += the sum and the sum of squares of each
    /// column. In double throughout, so that counts are exact and a variance survives a large mean.
    /// </summary>
    /// <param name="x">Float32.</param>
    /// <param name="columns">K.</param>
    /// <param name="sums">Float64 [1 + 2 K].</param>
    /// <param name="results">What <see cref="GuardNorm"/> left, where nothing is added if the guard forbids it; null to add
    /// always.</param>
    void AddMoments(Tensor x, int columns, Tensor sums, Tensor? results);
}
