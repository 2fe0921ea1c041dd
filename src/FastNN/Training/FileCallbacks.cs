using System.Globalization;

namespace FastNN;

/// <summary>Saves the model's weights, or the whole run, after epochs.</summary>
/// <param name="path">The file; "{epoch}" in it becomes the epoch's number, counted from 1.</param>
/// <param name="bestOnly">Save only when the watched number is the best so far; default false.</param>
/// <param name="wholeRun">Save everything that <see cref="Trainer.LoadCheckpoint"/> needs instead of the weights alone; default
/// false.</param>
/// <param name="monitor">What is watched; default the validation loss.</param>
public sealed class ModelCheckpoint(string path, bool bestOnly = false, bool wholeRun = false, MonitoredValue monitor = default)
    : Callback
{
    private double _best = double.PositiveInfinity;

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer) => _best = trainer.IsResuming ? _best : double.PositiveInfinity;

    /// <inheritdoc/>
    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        if (bestOnly)
        {
            double value = monitor.Read(trainer, result);
            if (!(value < _best))
            {
                return;
            }

            _best = value;
        }

        string file = path.Replace("{epoch}", result.Epoch.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        if (wholeRun)
        {
            trainer.SaveCheckpoint(file);
        }
        else
        {
            trainer.Model.SaveWeights(file);
        }
    }

    /// <inheritdoc/>
    public override void SaveState(CallbackState state) => state.Numbers["best"] = _best;

    /// <inheritdoc/>
    public override void LoadState(CallbackState state) => _best = state.RequireNumber("best");
}
