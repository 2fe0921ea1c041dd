namespace FastNN;

/// <summary>Layers one after another (Keras' Sequential, PyTorch's nn.Sequential).</summary>
public sealed class Sequential : Layer
{
    private readonly Layer[] _layers;

    /// <summary>A chain of layers.</summary>
    /// <param name="layers">In order, at least one.</param>
    /// <exception cref="ArgumentException">There is none, or two have one name.</exception>
    public Sequential(params ReadOnlySpan<Layer> layers)
    {
        if (layers.Length == 0)
        {
            throw new ArgumentException("Sequential: no layers given.");
        }

        _layers = layers.ToArray();
        foreach (Layer layer in _layers)
        {
            AddLayer(layer);
        }
    }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<Layer> Layers => _layers;

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        foreach (Layer layer in _layers)
        {
            x = layer.Apply(x);
        }

        return x;
    }
}
