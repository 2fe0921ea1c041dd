using System.Globalization;
using System.Text;
using FastNN.Formats;

namespace FastNN;

/// <summary>
/// Writes one line per epoch to a CSV file: epoch, loss, accuracy, validation loss and accuracy, seconds, learning rate. Each
/// line is on the disk before training goes on.
/// </summary>
/// <param name="path">
/// The file. It is begun anew; when a run is resumed it is continued, without the rows of epochs that the resumed run computes
/// again.
/// </param>
public sealed class CsvLog(string path) : Callback
{
    private const string Fixed = "epoch,loss,accuracy,validation_loss,validation_accuracy,seconds,learning_rate";

    private string[] _metrics = [];
    private bool _resumed;

    private string Header => string.Join(',', [Fixed, .. _metrics, .. _metrics.Select(name => $"validation_{name}")]);

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer)
    {
        _metrics = [.. trainer.Metrics.Select(metric => metric.Name)];
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
            $"{result.Epoch},{result.Loss},{result.Accuracy},{result.ValidationLoss},{result.ValidationAccuracy},{result.Duration.TotalSeconds:F3},{result.LearningRate}{Values(result.Metrics)}{Values(result.ValidationMetrics)}\n");
        using var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        stream.Write(Encoding.UTF8.GetBytes(row));
        stream.Flush(flushToDisk: true);
    }

    /// <summary>
    /// Once, when a resumed run shows where it is: drops the rows from its present epoch on. A run that was killed may have
    /// logged an epoch that its last checkpoint does not have, or part of a row.
    /// </summary>
    private void Cut(int epoch)
    {
        if (!_resumed)
        {
            return;
        }

        _resumed = false;
        string[] lines = File.ReadAllLines(path);
        string[] before = lines.Length > 0 ? lines[0].Split(',') : [];
        string[] kept = [
            Header,
            .. lines.Skip(1).Where(line => EpochOf(line, before.Length) is { } number && number < epoch)
                .Select(line => Columns(line, before))];
        if (!kept.SequenceEqual(lines))
        {
            Write(kept);
        }
    }

    private string Values(MetricValues values) => string.Concat(_metrics.Select(name => string.Create(
        CultureInfo.InvariantCulture, $",{(values.TryGetValue(name, out double value) ? value : (double?)null)}")));

    /// <summary>A row of the file in the columns of this run, which may ask for other metrics than the one before.</summary>
    private string Columns(string row, string[] names)
    {
        string[] cells = row.Split(',');
        return string.Join(',', Header.Split(',').Select(name => Array.IndexOf(names, name) is >= 0 and var at ? cells[at] : ""));
    }

    private static int? EpochOf(string row, int columns) =>
        row.Split(',') is [var first, ..] cells && cells.Length == columns
            && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int epoch)
            ? epoch
            : null;

    private void Write(IEnumerable<string> lines) => AtomicFile.Write(
        path, stream => stream.Write(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")))));
}
