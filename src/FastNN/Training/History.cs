using System.Globalization;

namespace FastNN;

/// <summary>What one epoch gave.</summary>
/// <param name="Epoch">Counts from 0.</param>
/// <param name="Loss">Mean training loss over the epoch's examples, each batch at its time.</param>
/// <param name="Accuracy">Training accuracy over the same, or null where the loss has no classes.</param>
/// <param name="ValidationLoss">Loss on the validation data after the epoch, or null without any.</param>
/// <param name="ValidationAccuracy">Accuracy on the validation data, or null.</param>
/// <param name="Seconds">Time of the epoch, validation included.</param>
/// <param name="LearningRate">Of the epoch's last step.</param>
public sealed record EpochResult(
    int Epoch, double Loss, double? Accuracy, double? ValidationLoss, double? ValidationAccuracy, double Seconds, float LearningRate)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"epoch {Epoch + 1}: loss {Loss:F4}{Percent(", accuracy", Accuracy)}{Number(", validation loss", ValidationLoss)}{Percent(", validation accuracy", ValidationAccuracy)}, {Seconds:F1} s");

    private static string Percent(string name, double? value) =>
        value is { } number ? string.Create(CultureInfo.InvariantCulture, $"{name} {100 * number:F2} %") : "";

    private static string Number(string name, double? value) =>
        value is { } number ? string.Create(CultureInfo.InvariantCulture, $"{name} {number:F4}") : "";
}

/// <summary>What <see cref="Trainer.Fit"/> gave, epoch by epoch, those before a resumed interruption included.</summary>
public sealed class History
{
    private readonly List<EpochResult> _epochs = [];

    /// <summary>The epochs in order.</summary>
    public IReadOnlyList<EpochResult> Epochs => _epochs;

    /// <summary>Whether a callback ended training before the last epoch.</summary>
    public bool StoppedEarly { get; internal set; }

    internal void Add(EpochResult epoch) => _epochs.Add(epoch);
}

/// <summary>What one training step gave.</summary>
/// <param name="Epoch">Counts from 0.</param>
/// <param name="Batch">Counts from 0 within the epoch.</param>
/// <param name="Batches">Batches of the epoch.</param>
/// <param name="Count">Examples in the batch.</param>
/// <param name="Step">Updates made so far, this one included.</param>
/// <param name="Loss">The batch's loss before the update.</param>
/// <param name="MeanLoss">Mean loss of the epoch's examples so far.</param>
/// <param name="Accuracy">Accuracy of the epoch's examples so far, or NaN where the loss has no classes.</param>
public readonly record struct BatchResult(int Epoch, int Batch, int Batches, int Count, long Step, float Loss, double MeanLoss, double Accuracy);
