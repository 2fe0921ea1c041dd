using System.Globalization;

namespace FastNN;

/// <summary>How a model does on a dataset.</summary>
public sealed record Evaluation
{
    /// <summary>Mean loss over the examples.</summary>
    public double Loss { get; init; }

    /// <summary>Share of examples classified correctly, or null where the loss has no classes.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Counts per actual and predicted class, or null where the loss has no classes.</summary>
    public ConfusionMatrix? Confusion { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Accuracy is { } accuracy
        ? string.Create(CultureInfo.InvariantCulture, $"loss {Loss:F4}, accuracy {100 * accuracy:F2} %")
        : string.Create(CultureInfo.InvariantCulture, $"loss {Loss:F4}");
}
