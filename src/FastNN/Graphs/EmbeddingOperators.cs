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
    /// up with the padding index, which counts in none of them; a bag of nothing else gives zeros. Bags in one list are those of
    /// <see cref="EmbeddingBag(Value, Value, Value, EmbeddingBagMode, Value?, int)"/>.
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

        RequireSampleWeights(sampleWeights, indices.Shape, mode);
        RequireMaskable(indices, paddingIndex);
        return indices.Graph.Compose(() => Bags(indices, weight, mode, sampleWeights, paddingIndex), nameof(EmbeddingBag));
    }

    private static Value Bags(Value indices, Value weight, EmbeddingBagMode mode, Value? sampleWeights, int paddingIndex)
    {
        Graph graph = indices.Graph;
        Value rows = indices.Embedding(weight, paddingIndex);
        Value? counts = paddingIndex < 0 ? null : Counts(indices, paddingIndex);
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

    /// <summary>
    /// Bags of any length in one list, each reduced to one row: as PyTorch's embedding_bag with offsets. An empty bag gives
    /// zeros. Every length of the list is a plan of its own, so bags of similar length are faster filled up to one shape.
    /// </summary>
    /// <param name="indices">Int32 or Int64, [T]; Int32 where there is a padding index. At most 2^24.</param>
    /// <param name="weight">[V, D].</param>
    /// <param name="offsets">Int32 or Int64, [B]: where each bag begins; the first is 0, none is before the one in front of
    /// it.</param>
    /// <param name="mode">How a bag's rows become one; default their mean (PyTorch). Of equal maxima the first has the
    /// gradient.</param>
    /// <param name="sampleWeights">[T], what each row is multiplied by; of sums alone. Default none.</param>
    /// <param name="paddingIndex">A row that counts in no bag and gets no gradient; default -1, none.</param>
    /// <returns>[B, D].</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit, or sample weights are given for another mode than the
    /// sum.</exception>
    public static Value EmbeddingBag(
        this Value indices, Value weight, Value offsets, EmbeddingBagMode mode = EmbeddingBagMode.Mean,
        Value? sampleWeights = null, int paddingIndex = -1)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(offsets);
        if (indices.Shape.Rank != 1 || offsets.Shape.Rank != 1)
        {
            throw new ShapeException(
                $"EmbeddingBag: expected a list of indices [T] and offsets [B], got {indices.Shape} and {offsets.Shape}.");
        }

        RequireSampleWeights(sampleWeights, indices.Shape, mode);
        RequireMaskable(indices, paddingIndex);
        return indices.Graph.Compose(
            () => Bags(indices, weight, offsets, mode, sampleWeights, paddingIndex), nameof(EmbeddingBag));
    }

    private static Value Bags(
        Value indices, Value weight, Value offsets, EmbeddingBagMode mode, Value? sampleWeights, int paddingIndex)
    {
        Graph graph = indices.Graph;
        Value bag = BagOfEach(indices.Shape, offsets);
        Value rows = indices.Embedding(weight, paddingIndex);
        Value? counts = paddingIndex < 0 ? null : Counts(indices, paddingIndex).Cast(DType.Float32);
        if (mode == EmbeddingBagMode.Max)
        {
            return Largest(rows, bag, offsets, counts);
        }

        Value? factors = counts is null ? sampleWeights : sampleWeights is null ? counts : counts * sampleWeights;
        rows = factors is null ? rows : rows * factors.Unsqueeze(1);
        Value places = bag.Unsqueeze(1).Expand([.. rows.Shape]);
        Value sums = graph.Full([offsets.Shape[0], rows.Shape[1]], 0).ScatterAdd(0, places, rows);
        if (mode == EmbeddingBagMode.Sum)
        {
            return sums;
        }

        return sums / Lengths(bag, offsets.Shape, counts).Maximum(1f).Unsqueeze(1);
    }

    /// <summary>How many rows count in each bag.</summary>
    private static Value Lengths(Value bag, Shape bags, Value? counts) =>
        bag.Graph.Full(bags, 0).ScatterAdd(0, bag, counts ?? bag.Graph.Full(bag.Shape, 1));

    /// <summary>
    /// The largest rows of each bag, column by column, and zeros for a bag in which none counts. Of equal ones the first has the
    /// gradient, as sorting keeps their order: first all rows by size, then these by their bags, so that the largest of a bag
    /// stands where the bag begins.
    /// </summary>
    private static Value Largest(Value rows, Value bag, Value offsets, Value? counts)
    {
        Graph graph = rows.Graph;
        int width = rows.Shape[1];
        Value lowest = graph.Constant(float.NegativeInfinity);
        Value candidates = counts is null ? rows : ShapeOperators.Where(counts.Unsqueeze(1) > 0f, rows, lowest);

        // A row behind all bags, for those that begin there as they are empty.
        Value none = graph.Full([1, width], float.NegativeInfinity), noBag = graph.Full(new Shape(1), float.PositiveInfinity);
        candidates = Operators.Concat(0, candidates, none);
        Value bags = Operators.Concat(0, bag.Cast(DType.Float32), noBag).Unsqueeze(1).Expand([.. candidates.Shape]);
        Value bySize = candidates.StopGradient().ArgSort(0, descending: true);
        Value byBag = bySize.Gather(0, bags.Gather(0, bySize).ArgSort(0));
        Value winners = byBag.Gather(0, offsets.Unsqueeze(1).Expand(offsets.Shape[0], width));
        Value isFull = Lengths(bag, offsets.Shape, counts).Unsqueeze(1) > 0f;
        return ShapeOperators.Where(isFull, candidates.Gather(0, winners), graph.Constant(0f));
    }

    /// <summary>The number of each place's bag: how many bags have begun by then, less one.</summary>
    private static Value BagOfEach(Shape places, Value offsets)
    {
        Graph graph = offsets.Graph;

        // Bags that are empty may begin behind the last place.
        Value none = Operators.Concat(0, graph.Full(places, 0), graph.Constant([0], new Shape(1)));
        Value begun = none.ScatterAdd(0, offsets, graph.Full(offsets.Shape, 1));
        return (begun.Slice(0, stop: -1).CumSum() - 1f).Cast(DType.Int32);
    }

    /// <summary>Whether each index is not the padding.</summary>
    private static Value Counts(Value indices, int paddingIndex) =>
        indices.NotEqual(indices.Graph.ConstantInt32([paddingIndex], new Shape(1)));

    private static void RequireSampleWeights(Value? sampleWeights, Shape indices, EmbeddingBagMode mode)
    {
        if (sampleWeights is not null && (mode != EmbeddingBagMode.Sum || sampleWeights.Shape != indices))
        {
            throw new ShapeException(
                $"EmbeddingBag: expected sample weights of shape {indices} and mode Sum, got {sampleWeights.Shape} and {mode}.");
        }
    }

    private static void RequireMaskable(Value indices, int paddingIndex)
    {
        if (paddingIndex >= 0 && indices.Type != DType.Int32)
        {
            throw new ShapeException(
                $"EmbeddingBag: expected indices of type Int32 beside a padding index, got {indices.TensorType}; cast them first.");
        }
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
