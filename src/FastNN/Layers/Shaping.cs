using FastNN.Layers;

namespace FastNN;

/// <summary>Folds all axes but the batch axis into one; moves nothing.</summary>
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
