using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A table of vectors, looked up by Int32 or Int64 indices: [...] becomes [..., dimension]. Indices out of range are refused
/// where an input of a session or step is written (<see cref="InvalidDatasetException"/>); those that are computed on a GPU give
/// rows of NaN.
/// </summary>
public sealed class Embedding : Layer
{
    private static readonly Initializer StandardNormal = Initializer.Normal(0, 1);

    private readonly int _entries;
    private readonly int _dimension;
    private Parameter? _weight;

    /// <summary>A table.</summary>
    /// <param name="entries">Rows: indices are 0 to entries - 1.</param>
    /// <param name="dimension">Numbers per row.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public Embedding(int entries, int dimension)
    {
        RequirePositive(entries);
        RequirePositive(dimension);
        (_entries, _dimension) = (entries, dimension);
    }

    /// <summary>A row that is zero at first and gets no gradient (PyTorch's padding_idx); default -1, none.</summary>
    public int PaddingIndex { get; init; } = -1;

    /// <summary>What the table is drawn from; default normal with deviation 1 (PyTorch).</summary>
    public Initializer WeightInitializer { get; init; } = StandardNormal;

    /// <summary>The table [entries, dimension], once built.</summary>
    public Parameter? Weight => _weight;

    /// <inheritdoc/>
    protected override void Build(Value x) =>
        _weight = AddParameter(
            "weight", new Shape(_entries, _dimension), Padded(WeightInitializer, PaddingIndex, _entries));

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Embedding(x.Graph.Use(_weight!), PaddingIndex);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("entries", _entries).Set("dimension", _dimension).Set("paddingIndex", PaddingIndex)
            .Set("weightInitializer", WeightInitializer, StandardNormal);
    }

    internal static Embedding Create(LayerDescription description) =>
        new(description.Int32("entries"), description.Int32("dimension"))
        {
            Name = description.Name,
            PaddingIndex = description.Int32("paddingIndex"),
            WeightInitializer = description.Initializer("weightInitializer", StandardNormal),
        };

    /// <summary>A table's first values with zeros in the padding row, where there is one.</summary>
    internal static Initializer Padded(Initializer others, int padding, int entries)
    {
        ArgumentNullException.ThrowIfNull(others);
        return (uint)padding < (uint)entries ? new PaddedInitializer(others, padding) : others;
    }

    /// <summary>Zeros in one row.</summary>
    private sealed class PaddedInitializer(Initializer others, int row) : Initializer
    {
        public override void Fill(Span<float> values, Shape shape, ulong seed, uint number)
        {
            others.Fill(values, shape, seed, number);
            values.Slice(row * shape[1], shape[1]).Clear();
        }
    }
}
