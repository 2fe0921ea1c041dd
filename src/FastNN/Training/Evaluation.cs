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

    /// <summary>The metrics that were asked for.</summary>
    public MetricValues Metrics { get; init; } = MetricValues.Empty;

    /// <inheritdoc/>
    public override string ToString()
    {
        string accuracy = Accuracy is { } share
            ? string.Create(CultureInfo.InvariantCulture, $", accuracy {100 * share:F2} %")
            : "";
        return string.Create(CultureInfo.InvariantCulture, $"loss {Loss:F4}{accuracy}{(Metrics.Count > 0 ? ", " : "")}{Metrics}");
    }
}
