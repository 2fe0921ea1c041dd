namespace FastNN;

/// <summary>
/// What a network can give for all inputs between two bounds: interval bound propagation (Gowal et al., 2018; Mirman et al.,
/// 2018). The bounds hold for every input in between, so that a classifier whose true class has a lower bound above the upper
/// bounds of all others is certified there; and they have gradients, so that a network can be trained to be certified.
/// </summary>
/// <example>
/// <code>
/// Value x = step.Input("x", [Dim.Batch, 28, 28, 1]);
/// (Value low, Value high) = IntervalBounds.Propagate(model, (x - 0.1f).Clamp(0, 1), (x + 0.1f).Clamp(0, 1));
/// </code>
/// </example>
public static class IntervalBounds
{
    /// <summary>Functions that never fall, whatever their parameters are.</summary>
    private static readonly HashSet<string> Rising =
        ["None", "ReLU", "ReLU6", "Sigmoid", "Tanh", "Softplus", "Softsign", "LogSigmoid", "HardSigmoid", "HardTanh", "Selu"];

    /// <summary>Records the bounds of a layer's output.</summary>
    /// <param name="layer">A built layer: Sequential, Dense, Conv2D, Flatten, Reshape, poolings, and activations that never
    /// fall.</param>
    /// <param name="low">Lower bounds of its input, batch axis first.</param>
    /// <param name="high">Upper bounds.</param>
    /// <returns>Bounds of the output.</returns>
    /// <exception cref="ShapeException">The bounds differ in shape, or do not fit the layer.</exception>
    /// <exception cref="NotSupportedException">Nothing is known about a layer's bounds.</exception>
    /// <exception cref="InvalidOperationException">The layer is not built.</exception>
    public static (Value Low, Value High) Propagate(Layer layer, Value low, Value high)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(low);
        ArgumentNullException.ThrowIfNull(high);
        if (low.Shape != high.Shape)
        {
            throw new ShapeException($"IntervalBounds: expected bounds of one shape, got {low.Shape} and {high.Shape}.");
        }

        switch (layer)
        {
            case Sequential chain:
                foreach (Layer link in chain.Layers)
                {
                    (low, high) = Propagate(link, low, high);
                }

                return (low, high);
            case Dense dense:
                return Activate(
                    Affine(
                        low, high, Weight(dense, dense.Weight), dense.Bias, (x, weight, bias) => x.Dense(weight, bias)),
                    dense.Activation);
            case Conv2D conv:
                return Activate(
                    Affine(
                        low, high, Weight(conv, conv.Weight), conv.Bias,
                        (x, weight, bias) => x.Conv2D(weight, bias, conv.Stride, conv.Padding, conv.Dilation, conv.Groups)),
                    conv.Activation);
            case ActivationLayer activation:
                return Activate((low, high), activation.Activation);
            case Flatten or Reshape or MaxPool2D or AvgPool2D or GlobalAvgPool2D or GlobalMaxPool2D:
                return (layer.Apply(low), layer.Apply(high));
            default:
                throw new NotSupportedException(
                    $"IntervalBounds: expected Sequential, Dense, Conv2D, Flatten, Reshape, poolings of images or activations, got {layer.GetType().Name}.");
        }
    }

    /// <summary>
    /// The outputs of a classifier that are worst for the true class: its lower bound, and the upper bounds of all others. Their
    /// cross-entropy bounds the loss of every input in between.
    /// </summary>
    /// <param name="low">Lower bounds of the classes [N, C].</param>
    /// <param name="high">Upper bounds [N, C].</param>
    /// <param name="labels">The true classes, Int32 [N].</param>
    /// <returns>[N, C].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value Worst(Value low, Value high, Value labels)
    {
        ArgumentNullException.ThrowIfNull(low);
        ArgumentNullException.ThrowIfNull(high);
        ArgumentNullException.ThrowIfNull(labels);
        if (low.Shape.Rank != 2 || low.Shape != high.Shape)
        {
            throw new ShapeException($"IntervalBounds: expected bounds of classes [N, C], got {low.Shape} and {high.Shape}.");
        }

        Value isTrue = labels.OneHot(low.Shape[-1]);
        return high + ((low - high) * isTrue);
    }

    /// <summary>Through x W + b: the middle as it is, and the half width through |W|.</summary>
    private static (Value Low, Value High) Affine(
        Value low, Value high, Parameter weight, Parameter? bias, Func<Value, Value, Value?, Value> apply)
    {
        Value w = low.Graph.Use(weight);
        Value middle = apply((low + high) * 0.5f, w, bias is null ? null : low.Graph.Use(bias));
        Value width = apply((high - low) * 0.5f, w.Abs(), null);
        return (middle - width, middle + width);
    }

    private static (Value Low, Value High) Activate((Value Low, Value High) bounds, Activation activation) =>
        activation.IsNone ? bounds
        : Rising.Contains(activation.Name) ? (bounds.Low.Activate(activation), bounds.High.Activate(activation))
        : throw new NotSupportedException(
            $"IntervalBounds: expected an activation that never falls ({string.Join(", ", Rising)}), got {activation.Name}.");

    private static Parameter Weight(Layer layer, Parameter? weight) => weight
        ?? throw new InvalidOperationException(
            $"IntervalBounds: a {layer.GetType().Name} is not built; call model.Build(shape of one example) first.");
}
