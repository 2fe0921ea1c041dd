using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IIndexing
{
    /// <summary>
    /// y [indices, D] = the rows of weight [V, D] that the indices, Int32 or Int64, name. An index out of range is an error on
    /// the CPU; on a GPU, which cannot tell, its row is NaN. No memory outside is touched.
    /// </summary>
    /// <exception cref="InvalidDatasetException">An index is out of range (CPU).</exception>
    void EmbeddingForward(Tensor indices, Tensor weight, Tensor y);

    /// <summary>
    /// dWeight (=|+=) dY's rows, each added to the row of its index in the order of the indices; the row
    /// <paramref name="padding"/> gets none.
    /// </summary>
    /// <param name="padding">-1: no row.</param>
    void EmbeddingBackward(Tensor indices, Tensor dY, int padding, Tensor dWeight, bool accumulate);

    /// <summary>
    /// The same, and dRepeated (=|+=) the sums of dY over its repetitions, as of positions that were added to all examples, in
    /// one pass, where the device has one for this shape.
    /// </summary>
    /// <param name="dRepeated">As many last elements of dY as repeat.</param>
    /// <returns>False where the device has none; then nothing was done.</returns>
    bool EmbeddingBackwardAtOnce(
        Tensor indices, Tensor dY, int padding, Tensor dWeight, bool accumulate, Tensor dRepeated, bool accumulateRepeated);
}
