using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A table of vectors, of which bags are looked up and reduced to one each, as PyTorch's EmbeddingBag with its parameter
/// "weight": indices [B, L] become [B, dimension].
/// A second input, if given, has what each row is multiplied by, [B, L] (sums alone).
/// </summary>
public sealed class EmbeddingBag : MultiInputLayer
{
    private static readonly Initializer StandardNormal = Initializer.Normal(0, 1);

    private readonly int _entries;
    private readonly int _dimension;
    private readonly EmbeddingBagMode _mode;
    private Parameter? _weight;

    /// <summary>A table.</summary>
    /// <param name="entries">Rows: indices are 0 to entries - 1.</param>
    /// <param name="dimension">Numbers per row.</param>
    /// <param name="mode">How a bag's rows become one; default their mean (PyTorch).</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive, or the mode is not a member of its
    /// enumeration.</exception>
    public EmbeddingBag(int entries, int dimension, EmbeddingBagMode mode = EmbeddingBagMode.Mean)
    {
        RequirePositive(entries);
        RequirePositive(dimension);
        if (!Enum.IsDefined(mode))
        {
            throw new ArgumentOutOfRangeException(
                nameof(mode), $"EmbeddingBag: expected a mode of Sum, Mean or Max, got {mode}.");
        }

        (_entries, _dimension, _mode) = (entries, dimension, mode);
    }

    /// <summary>A row that is zero at first, counts in no bag and gets no gradient; default -1, none.</summary>
    public int PaddingIndex { get; init; } = -1;

    /// <summary>What the table is drawn from; default normal with deviation 1 (PyTorch).</summary>
    public Initializer WeightInitializer { get; init; } = StandardNormal;

    /// <summary>The table [entries, dimension], once built.</summary>
    public Parameter? Weight => _weight;

    /// <inheritdoc/>
    protected override void Build(ReadOnlySpan<Value> inputs) => _weight = AddParameter(
        "weight", new Shape(_entries, _dimension), Embedding.Padded(WeightInitializer, PaddingIndex, _entries));

    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs) => inputs.Length <= 2
        ? [
            inputs[0].EmbeddingBag(
                inputs[0].Graph.Use(_weight!), _mode, inputs.Length > 1 ? inputs[1] : null, PaddingIndex)]
        : throw new ShapeException($"EmbeddingBag: expected indices and at most sample weights, got {inputs.Length} inputs.");

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("entries", _entries).Set("dimension", _dimension).Set("mode", _mode.ToString())
            .Set("paddingIndex", PaddingIndex).Set("weightInitializer", WeightInitializer, StandardNormal);
    }

    internal static EmbeddingBag Create(LayerDescription description) => new(
        description.Int32("entries"), description.Int32("dimension"), ModeOf(description.Text("mode")))
    {
        Name = description.Name,
        PaddingIndex = description.Int32("paddingIndex"),
        WeightInitializer = description.Initializer("weightInitializer", StandardNormal),
    };

    private static EmbeddingBagMode ModeOf(string name) => name switch
    {
        nameof(EmbeddingBagMode.Sum) => EmbeddingBagMode.Sum,
        nameof(EmbeddingBagMode.Mean) => EmbeddingBagMode.Mean,
        nameof(EmbeddingBagMode.Max) => EmbeddingBagMode.Max,
        _ => throw new ArgumentException($"EmbeddingBag: expected Sum, Mean or Max as attribute 'mode', got {name}."),
    };
}
