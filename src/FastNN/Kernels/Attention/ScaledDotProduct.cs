using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>The operands of an attention.</summary>
/// <param name="Mask">As the geometry says, or null.</param>
/// <param name="Lengths">Int32, how many keys are valid, for each example or for all; null: all are.</param>
internal readonly record struct AttentionOperands(Tensor Query, Tensor Key, Tensor Value, Tensor? Mask, Tensor? Lengths);

/// <summary>Gradients of an attention's operands, null where none is wanted. Several may be one tensor.</summary>
internal readonly record struct AttentionGradients(
    Tensor? Query, Tensor? Key, Tensor? Value, bool AccumulateQuery, bool AccumulateKey, bool AccumulateValue);

internal partial interface IAttention
{
    /// <summary>
    /// y = softmax(scale query key^T + mask) value, row by row; 0 where a query sees no key. The scores are never in memory as a
    /// whole (Dao et al., 2022).
    /// </summary>
    /// <param name="logSums">[Batch, Heads, Queries]: the logarithm of the sum of a row's exponentials, infinity where it sees no
    /// key; null where no backward pass follows.</param>
    void AttentionForward(AttentionGeometry geometry, in AttentionOperands operands, Tensor y, Tensor? logSums);

    /// <summary>
    /// The gradients (=|+=), from scores that are computed once more. Where tensors are one, that of the value is written first,
    /// that of the query last.
    /// </summary>
    /// <param name="products">[Batch, Heads, Queries], scratch: the products of dY with y; null where neither the query's nor the
    /// key's gradient is wanted.</param>
    void AttentionBackward(
        AttentionGeometry geometry, in AttentionOperands operands, Tensor y, Tensor dY, Tensor logSums, Tensor? products,
        in AttentionGradients gradients);
}
