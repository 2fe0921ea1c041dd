namespace FastNN;

/// <summary>
/// Layers one after another whose activations are not kept for backward but computed again there, bit for bit (Chen et al., 2016;
/// PyTorch's torch.utils.checkpoint): less memory for one more forward pass of these layers. Otherwise it is a
/// <see cref="Sequential"/>, with the same parameter names and files; a batch normalization's running statistics are updated
/// once.
/// </summary>
public sealed class Checkpoint : Layer
{
    private readonly List<Layer> _layers = [];

    /// <summary>A segment.</summary>
    /// <param name="layers">In order, at least one.</param>
    /// <exception cref="ArgumentException">There are none, or two have one name.</exception>
    public Checkpoint(params ReadOnlySpan<Layer> layers)
    {
        if (layers.Length == 0)
        {
            throw new ArgumentException("Checkpoint: expected at least one layer, got none.", nameof(layers));
        }

        foreach (Layer layer in layers)
        {
            ArgumentNullException.ThrowIfNull(layer, nameof(layers));
            _layers.Add(AddLayer(layer));
        }
    }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<Layer> Layers => _layers;

    /// <inheritdoc/>
    protected override Value Forward(Value x) =>
        x.Graph.Recomputed(() => _layers.Aggregate(x, (value, layer) => layer.Apply(value)));

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.SetLayers(_layers);
    }

    internal static Checkpoint Create(LayerDescription description) =>
        new([.. description.Layers]) { Name = description.Name };
}
