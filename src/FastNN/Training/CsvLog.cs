using System.Globalization;
using System.Text;
using FastNN.Formats;

namespace FastNN;

/// <summary>
/// Writes one line per epoch to a CSV file: epoch, loss, accuracy, validation loss and accuracy, seconds, learning rate. Each line is
/// on the disk before training goes on.
/// </summary>
/// <param name="path">
/// The file. It is begun anew; when a run is resumed it is continued, without the rows of epochs that the resumed run computes again.
/// </param>
public sealed class CsvLog(string path) : Callback
{
    private const string Header = "epoch,loss,accuracy,validation_loss,validation_accuracy,seconds,learning_rate";

    private bool _resumed;

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer)
    {
        _resumed = trainer.IsResuming && File.Exists(path);
        if (!_resumed)
        {
            Write([Header]);
        }
    }

    /// <inheritdoc/>
    public override void OnBatchEnd(Trainer trainer, in BatchResult result) => Cut(result.Epoch);

    /// <inheritdoc/>
    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        Cut(result.Epoch);
        string row = string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Epoch},{result.Loss},{result.Accuracy},{result.ValidationLoss},{result.ValidationAccuracy},{result.Duration.TotalSeconds:F3},{result.LearningRate}\n");
        using var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        stream.Write(Encoding.UTF8.GetBytes(row));
        stream.Flush(flushToDisk: true);
    }

    /// <summary>
    /// Once, when a resumed run shows where it is: drops the rows from its present epoch on. A run that was killed may have logged an
    /// epoch that its last checkpoint does not have, or part of a row.
    /// </summary>
    private void Cut(int epoch)
    {
        if (!_resumed)
        {
            return;
        }

        _resumed = false;
        string[] lines = File.ReadAllLines(path);
        string[] kept = [Header, .. lines.Skip(1).Where(line => EpochOf(line) is { } number && number < epoch)];
        if (!kept.SequenceEqual(lines))
        {
            Write(kept);
        }
    }

    private static int? EpochOf(string row) =>
        row.Split(',') is [var first, _, _, _, _, _, _] && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int epoch)
            ? epoch
            : null;

    private void Write(IEnumerable<string> lines) => AtomicFile.Write(
        path, stream => stream.Write(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")))));
}
