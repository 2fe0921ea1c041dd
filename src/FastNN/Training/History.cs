using System.Globalization;

namespace FastNN;

/// <summary>The numbers of one epoch.</summary>
public sealed record EpochResult
{
    /// <summary>The epoch, counted from 1.</summary>
    public int Epoch { get; init; }

    /// <summary>Mean training loss over the epoch's examples, each batch measured before its update.</summary>
    public double Loss { get; init; }

    /// <summary>Training accuracy over the same examples, or null where the loss has no classes.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Loss on the validation data after the epoch, or null without validation data.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Accuracy on the validation data after the epoch, or null without validation data or classes.</summary>
    public double? ValidationAccuracy { get; init; }

    /// <summary>
    /// The metrics that were asked for, over the epoch's training examples, each batch measured before its update.
    /// </summary>
    public MetricValues Metrics { get; init; } = MetricValues.Empty;

    /// <summary>The same on the validation data after the epoch; empty without validation data.</summary>
    public MetricValues ValidationMetrics { get; init; } = MetricValues.Empty;

    /// <summary>Wall time of the epoch, validation included.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The optimizer's learning rate in the epoch's last step.</summary>
    public float LearningRate { get; init; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"epoch {Epoch}: loss {Loss:F4}{Percent(", accuracy", Accuracy)}{Named("", Metrics)}{Number(", validation loss", ValidationLoss)}{Percent(", validation accuracy", ValidationAccuracy)}{Named("validation ", ValidationMetrics)}, {Duration.TotalSeconds:F1} s");

    private static string Named(string prefix, MetricValues metrics) => metrics.Count == 0 ? "" : ", " + metrics.Text(prefix);

    private static string Percent(string name, double? value) =>
        value is { } number ? string.Create(CultureInfo.InvariantCulture, $"{name} {100 * number:F2} %") : "";

    private static string Number(string name, double? value) =>
        value is { } number ? string.Create(CultureInfo.InvariantCulture, $"{name} {number:F4}") : "";
}

/// <summary>
/// The results of a <see cref="Trainer.Fit"/>, epoch by epoch; those of an interrupted run that was resumed come first.
/// </summary>
public sealed class History
{
    private readonly List<EpochResult> _epochs = [];

    /// <summary>The epochs in order.</summary>
    public IReadOnlyList<EpochResult> Epochs => _epochs;

    /// <summary>Whether a callback ended training before the last epoch.</summary>
    public bool StoppedEarly { get; internal set; }

    internal void Add(EpochResult epoch) => _epochs.Add(epoch);
}

/// <summary>The numbers of one training step.</summary>
public readonly record struct BatchResult
{
    /// <summary>The epoch, counted from 1.</summary>
    public int Epoch { get; init; }

    /// <summary>The index of the batch in its epoch, from 0 on, as <see cref="Data.Batch.Index"/>.</summary>
    public int Batch { get; init; }

    /// <summary>Batches of the epoch.</summary>
    public int Batches { get; init; }

    /// <summary>Examples in the batch.</summary>
    public int Count { get; init; }

    /// <summary>Updates made so far, this one included.</summary>
    public long Step { get; init; }

    /// <summary>The batch's loss before the update.</summary>
    public float Loss { get; init; }

    /// <summary>Mean loss of the epoch's examples so far.</summary>
    public double MeanLoss { get; init; }

    /// <summary>Accuracy on the epoch's examples so far, or NaN where the loss has no classes.</summary>
    public double Accuracy { get; init; }
}
