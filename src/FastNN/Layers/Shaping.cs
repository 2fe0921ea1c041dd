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
}

/// <summary>Inverted dropout (Srivastava et al., 2014) while training, the identity in inference.</summary>
/// <param name="rate">Probability that an element becomes 0, in [0, 1).</param>
public sealed class Dropout(float rate) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Dropout(rate);
}

/// <summary>An activation function as a layer of its own.</summary>
/// <param name="activation">Which.</param>
public sealed class ActivationLayer(Activation activation) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Activate(activation);
}

/// <summary>softmax(x), or its logarithm, along one axis.</summary>
/// <param name="axis">Default the last.</param>
/// <param name="logarithm">Give the logarithm; default false.</param>
public sealed class Softmax(int axis = -1, bool logarithm = false) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => logarithm ? x.LogSoftmax(axis) : x.Softmax(axis);
}
