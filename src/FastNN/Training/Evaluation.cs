using System.Globalization;

namespace FastNN;

/// <summary>How a model does on a dataset.</summary>
/// <param name="Loss">Mean loss over the examples.</param>
/// <param name="Accuracy">Share of examples classified rightly, or null where the loss has no classes.</param>
/// <param name="Confusion">Counts per actual and predicted class, or null.</param>
public sealed record Evaluation(double Loss, double? Accuracy, ConfusionMatrix? Confusion)
{
    /// <inheritdoc/>
    public override string ToString() => Accuracy is { } accuracy
        ? string.Create(CultureInfo.InvariantCulture, $"loss {Loss:F4}, accuracy {100 * accuracy:F2} %")
        : string.Create(CultureInfo.InvariantCulture, $"loss {Loss:F4}");
}
