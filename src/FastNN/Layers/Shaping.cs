using FastNN.Layers;

namespace FastNN;

/// <summary>
/// Folds all axes but the batch axis into one; moves nothing, so the last axis runs fastest: [N, H, W, C] becomes
/// [N, H * W * C]. PyTorch flattens [N, C, H, W] channel by channel. Parameters behind a flattened image [N, H, W, C] or volume
/// [N, D, H, W, C] are in files as PyTorch has them, so that state dictionaries map one to one. A sequence [N, L, C] is flattened
/// place by place as PyTorch's [N, T, D] of recurrent and attention layers; behind PyTorch's convolutions, which have [N, C, L],
/// put <c>new Permute(2, 1)</c> in front.
/// </summary>
public sealed class Flatten : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Flatten();
}

/// <summary>Gives each example another shape of as many elements; moves nothing.</summary>
/// <param name="example">The shape of one example, without the batch axis.</param>
public sealed class Reshape(Shape example) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Reshape(example.Prepend(x.Shape[0]));

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("shape", example);
    }

    internal static Reshape Create(LayerDescription description) => new(description.Shape("shape")) { Name = description.Name };
}

/// <summary>Reorders the axes of each example, as PyTorch's permute behind the batch axis and Keras' Permute.</summary>
public sealed class Permute : Layer
{
    private readonly int[] _axes;

    /// <summary>An order of axes.</summary>
    /// <param name="axes">Which axis comes first behind the batch axis, which second, and so on; they count from 1, as the batch
    /// axis is 0 and stays. <c>new Permute(2, 1)</c> makes [N, C, L] of [N, L, C].</param>
    /// <exception cref="ArgumentException">The axes are not the numbers from 1 to how many there are.</exception>
    public Permute(params ReadOnlySpan<int> axes)
    {
        _axes = axes.ToArray();
        if (!_axes.Order().SequenceEqual(Enumerable.Range(1, _axes.Length)))
        {
            throw new ArgumentException(
                $"Permute: expected each of the axes 1 to {_axes.Length} once, got {string.Join(", ", _axes)}.", nameof(axes));
        }
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Shape.Rank == _axes.Length + 1
        ? x.Permute([0, .. _axes])
        : throw new ShapeException(
            $"Permute: expected {_axes.Length} axes behind the batch axis, one for each that was given, got {x.Shape}.");

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("axes", _axes);
    }

    internal static Permute Create(LayerDescription description) =>
        new(description.Int32s("axes")) { Name = description.Name };
}

/// <summary>Inverted dropout (Srivastava et al., 2014) while training, the identity in inference.</summary>
/// <param name="rate">Probability that an element becomes 0, in [0, 1).</param>
public sealed class Dropout(float rate) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Dropout(rate);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("rate", rate);
    }

    internal static Dropout Create(LayerDescription description) => new(description.Single("rate")) { Name = description.Name };
}

/// <summary>An activation function as a layer of its own.</summary>
/// <param name="activation">Which.</param>
public sealed class ActivationLayer(Activation activation) : Layer
{
    internal Activation Activation => activation;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Activate(activation);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("activation", activation);
    }

    internal static ActivationLayer Create(LayerDescription description) =>
        new(description.Activation()) { Name = description.Name };
}

/// <summary>softmax(x), or its logarithm, along one axis.</summary>
/// <param name="axis">Default the last.</param>
/// <param name="logarithm">Give the logarithm; default false.</param>
public sealed class Softmax(int axis = -1, bool logarithm = false) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => logarithm ? x.LogSoftmax(axis) : x.Softmax(axis);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("axis", axis);
        if (logarithm)
        {
            description.Set("logarithm", logarithm);
        }
    }

    internal static Softmax Create(LayerDescription description) =>
        new(description.Int32("axis"), description.Boolean("logarithm", false)) { Name = description.Name };
}
