using FastNN.Ops;

namespace FastNN;

/// <summary>Lookups, as fluent calls on values.</summary>
public static class EmbeddingOperators
{
    /// <summary>Rows of a table by their numbers, as PyTorch's embedding.</summary>
    /// <param name="indices">Int32 or Int64, any shape. Indices of an input are checked where a session or step is given them, on
    /// every device; one that is computed on the device and out of range is an error on the CPU and gives a row of NaN on a
    /// GPU.</param>
    /// <param name="weight">[V, D].</param>
    /// <param name="paddingIndex">A row that gets no gradient; default -1, none.</param>
    /// <returns>The indices' shape with D behind it.</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    public static Value Embedding(this Value indices, Value weight, int paddingIndex = -1) =>
        indices.Graph.Add(new EmbeddingOp(paddingIndex), indices, weight);

    /// <summary>
    /// Bags of rows of a table, each reduced to one: as PyTorch's embedding_bag for bags of one length. Shorter bags are filled
    /// up with the padding index, which counts in none of them; a bag of nothing else gives zeros.
    /// </summary>
    /// <param name="indices">Int32 or Int64, [B, L]; Int32 where there is a padding index.</param>
    /// <param name="weight">[V, D].</param>
    /// <param name="mode">How a bag's rows become one; default their mean (PyTorch).</param>
    /// <param name="sampleWeights">[B, L], what each row is multiplied by; of sums alone. Default none.</param>
    /// <param name="paddingIndex">A row that counts in no bag and gets no gradient; default -1, none.</param>
    /// <returns>[B, D].</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit, or sample weights are given for another mode.</exception>
    public static Value EmbeddingBag(
        this Value indices, Value weight, EmbeddingBagMode mode = EmbeddingBagMode.Mean, Value? sampleWeights = null,
        int paddingIndex = -1)
    {
        if (indices.Shape.Rank != 2 || indices.Shape[1] == 0)
        {
            throw new ShapeException($"EmbeddingBag: expected bags of indices [B, L] with L at least 1, got {indices.Shape}.");
        }

        if (sampleWeights is not null && (mode != EmbeddingBagMode.Sum || sampleWeights.Shape != indices.Shape))
        {
            throw new ShapeException(
                $"EmbeddingBag: expected sample weights of shape {indices.Shape} and mode Sum, got {sampleWeights.Shape} and {mode}.");
        }

        if (paddingIndex >= 0 && indices.Type != DType.Int32)
        {
            throw new ShapeException(
                $"EmbeddingBag: expected indices of type Int32 beside a padding index, got {indices.TensorType}; cast them first.");
        }

        Graph graph = indices.Graph;
        Value rows = indices.Embedding(weight, paddingIndex);
        Value? counts = paddingIndex < 0
            ? null
            : indices.NotEqual(graph.ConstantInt32([paddingIndex], new Shape(1)));
        if (mode == EmbeddingBagMode.Max)
        {
            if (counts is null)
            {
                return rows.Max([1]);
            }

            Value largest = ShapeOperators.Where(counts.Unsqueeze(2), rows, graph.Constant(float.NegativeInfinity)).Max([1]);
            return ShapeOperators.Where(counts.Cast(DType.Float32).Sum([1], keepDims: true) > 0f, largest, graph.Constant(0f));
        }

        // One product per bag: factors times rows.
        Value? factors = counts?.Cast(DType.Float32);
        if (factors is not null && mode == EmbeddingBagMode.Mean)
        {
            factors /= factors.Sum([1], keepDims: true).Maximum(1f);
        }

        factors = factors is null ? sampleWeights : sampleWeights is null ? factors : factors * sampleWeights;
        return factors is not null ? factors.Unsqueeze(1).MatMul(rows).Squeeze(1)
            : mode == EmbeddingBagMode.Sum ? rows.Sum([1])
            : rows.Mean([1]);
    }
}

/// <summary>How an embedding bag makes one row of its rows.</summary>
public enum EmbeddingBagMode
{
    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The largest of each column.</summary>
    Max,
}
