using System.Collections;

namespace FastNN;

/// <summary>
/// Layers one after another (Keras' Sequential, PyTorch's nn.Sequential): <c>new Sequential(a, b)</c>, <c>new Sequential { a, b
/// }</c>, or <see cref="Add"/> one by one.
/// </summary>
public sealed class Sequential : Layer, IEnumerable<Layer>
{
    private readonly List<Layer> _layers = [];

    /// <summary>A chain of layers.</summary>
    /// <param name="layers">In order; more may be added before the model is built.</param>
    /// <exception cref="ArgumentException">Two have one name.</exception>
    public Sequential(params ReadOnlySpan<Layer> layers)
    {
        foreach (Layer layer in layers)
        {
            Add(layer);
        }
    }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<Layer> Layers => _layers;

    /// <summary>Puts a layer at the end.</summary>
    /// <param name="layer">The layer.</param>
    /// <exception cref="ArgumentException">Another layer has its name.</exception>
    /// <exception cref="InvalidOperationException">The model is built.</exception>
    public void Add(Layer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (IsBuilt)
        {
            throw new InvalidOperationException(
                "Sequential: the model is built, so no layer can be added; put it into a new Sequential with the layer behind it.");
        }

        _layers.Add(AddLayer(layer));
    }

    /// <summary>The layers in order.</summary>
    /// <returns>An enumerator.</returns>
    public IEnumerator<Layer> GetEnumerator() => _layers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        if (_layers.Count == 0)
        {
            throw new InvalidOperationException("Sequential: expected at least one layer, got none.");
        }

        foreach (Layer layer in _layers)
        {
            x = layer.Apply(x);
        }

        return x;
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.SetLayers(_layers);
    }

    internal static Sequential Create(LayerDescription description) => new([.. description.Layers]) { Name = description.Name };
}
