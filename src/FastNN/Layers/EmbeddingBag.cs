using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A table of vectors, of which bags are looked up and reduced to one each, as PyTorch's EmbeddingBag with its parameter
/// "weight": indices [B, L] become [B, dimension], and so does a list of indices [T] with a second input, the offsets [B] at
/// which its bags begin. A last input, if given, has what each row is multiplied by, in the indices' shape (sums alone).
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
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Value weight = inputs[0].Graph.Use(_weight!);
        bool isList = inputs[0].Shape.Rank == 1;
        return (isList, inputs.Length) switch
        {
            (false, 1) => [inputs[0].EmbeddingBag(weight, _mode, null, PaddingIndex)],
            (false, 2) => [inputs[0].EmbeddingBag(weight, _mode, inputs[1], PaddingIndex)],
            (true, 2) => [inputs[0].EmbeddingBag(weight, inputs[1], _mode, null, PaddingIndex)],
            (true, 3) => [inputs[0].EmbeddingBag(weight, inputs[1], _mode, inputs[2], PaddingIndex)],
            _ => throw new ShapeException(
                $"EmbeddingBag: expected indices [B, L], or a list of them [T] and offsets [B], and at most sample weights, got {inputs.Length} inputs of which the first is {inputs[0].Shape}."),
        };
    }

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
