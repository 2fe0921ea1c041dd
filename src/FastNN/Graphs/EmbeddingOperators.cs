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
}
