using System.Globalization;
using FastNN.Formats;

namespace FastNN;

/// <summary>Saves the model's weights, or the whole run, after epochs.</summary>
/// <param name="path">The file; "{epoch}" in it becomes the epoch's number, counted from 1.</param>
/// <param name="bestOnly">Save only when the watched number is the best so far; default false.</param>
/// <param name="wholeRun">Save everything that <see cref="Trainer.Resume"/> needs instead of the weights alone; default
/// false.</param>
/// <param name="monitor">What is watched; default the validation loss.</param>
public sealed class ModelCheckpoint(string path, bool bestOnly = false, bool wholeRun = false, MonitoredValue monitor = MonitoredValue.ValidationLoss) : Callback
{
    private double _best = double.PositiveInfinity;

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer) => _best = trainer.IsResuming ? _best : double.PositiveInfinity;

    /// <inheritdoc/>
    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        if (bestOnly)
        {
            double value = monitor.Read(result);
            if (!(value < _best))
            {
                return;
            }

            _best = value;
        }

        string file = path.Replace("{epoch}", (result.Epoch + 1).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        if (wholeRun)
        {
            trainer.SaveCheckpoint(file);
        }
        else
        {
            trainer.Model.Save(file);
        }
    }

    /// <inheritdoc/>
    public override void SaveState(CallbackState state) => state.Numbers["best"] = _best;

    /// <inheritdoc/>
    public override void LoadState(CallbackState state) => _best = state.Numbers["best"];
}

/// <summary>
/// Writes one line per epoch to a CSV file: epoch, loss, accuracy, validation loss and accuracy, seconds, learning rate.
/// A resumed run continues the file behind the last epoch that its checkpoint knew: later lines, and one that was cut short when
/// the run was killed, go.
/// </summary>
/// <param name="path">The file; it is begun anew, or continued when a run is resumed.</param>
public sealed class CsvLog(string path) : Callback
{
    private const string Header = "epoch,loss,accuracy,validation_loss,validation_accuracy,seconds,learning_rate";

    private bool _continues;

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer)
    {
        _continues = trainer.IsResuming && File.Exists(path);
        if (!_continues)
        {
            Rewrite([]);
        }
    }

    /// <inheritdoc/>
    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        int number = result.Epoch + 1;
        if (_continues)
        {
            Rewrite(Rows(before: number));
            _continues = false;
        }

        File.AppendAllText(
            path,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{number},{result.Loss},{result.Accuracy},{result.ValidationLoss},{result.ValidationAccuracy},{result.Seconds:F3},{result.LearningRate}\n"));
    }

    private List<string> Rows(int before)
    {
        using var reader = new StreamReader(InputFile.OpenRead(path));
        var rows = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            string[] cells = line.Split(',');
            bool whole = cells.Length == Header.AsSpan().Count(',') + 1 && int.TryParse(cells[0], NumberStyles.None, CultureInfo.InvariantCulture, out int epoch) && epoch < before;
            if (whole)
            {
                rows.Add(line);
            }
        }

        return rows;
    }

    private void Rewrite(IReadOnlyList<string> rows) => AtomicFile.Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine(Header);
        foreach (string row in rows)
        {
            writer.WriteLine(row);
        }
    });
}
