namespace FastNN;

/// <summary>
/// Layers of an encoder or a decoder one behind the other; everything behind the first input, a decoder's memory and masks, goes
/// to each of them.
/// </summary>
public abstract class StackedTransformer : MultiInputLayer
{
    private readonly TransformerLayer[] _layers;
    private LayerNorm? _norm;

    private protected StackedTransformer(TransformerLayer[] layers)
    {
        string name = GetType().Name;
        foreach (TransformerLayer layer in layers)
        {
            ArgumentNullException.ThrowIfNull(layer, nameof(layers));
        }

        if (layers.Length == 0)
        {
            throw new ArgumentException($"{name}: expected at least one layer, got none.", nameof(layers));
        }

        if (Array.Exists(layers, layer => layer.Width != layers[0].Width))
        {
            throw new ArgumentException(
                $"{name}: expected layers of one width, got {string.Join(", ", layers.Select(layer => layer.Width))}.",
                nameof(layers));
        }

        _layers = layers;
        for (int i = 0; i < layers.Length; i++)
        {
            AddLayer(layers[i], $"layers.{i}");
        }
    }

    /// <summary>Normalize the last layer's output ("norm"), as stacks of <see cref="TransformerLayer.NormFirst"/> do.</summary>
    public bool HasNorm { get; init; }

    /// <inheritdoc/>
    protected override void Build(ReadOnlySpan<Value> inputs) =>
        _norm = HasNorm ? AddLayer(new LayerNorm { Epsilon = _layers[0].Epsilon }, "norm") : null;

    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Value x = inputs[0];
        foreach (TransformerLayer layer in _layers)
        {
            x = layer.Apply([x, .. inputs[1..]])[0];
        }

        return [_norm?.Apply(x) ?? x];
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("hasNorm", HasNorm).SetLayers(_layers);
    }

    /// <summary>The layers of a description, all of one kind.</summary>
    private protected static T[] Of<T>(LayerDescription description)
        where T : TransformerLayer => [.. description.Layers.Select(layer => layer as T ?? throw new ArgumentException(
            $"{description.Kind}: expected layers of kind {typeof(T).Name}, got {layer.GetType().Name}."))];
}
