namespace FastNN;

/// <summary>
/// Ends training once a number has not improved for some epochs (Prechelt, 1998; options as Keras' EarlyStopping).
/// </summary>
/// <param name="patience">Epochs without improvement before training stops; 0 or more.</param>
/// <param name="minDelta">The least change that counts as improvement; default 0.</param>
/// <param name="restoreBest">Restore the parameters of the best epoch at the end, also when training ran to its last epoch;
/// default false.</param>
/// <param name="monitor">What is watched; default the validation loss.</param>
public sealed class EarlyStopping(int patience = 0, double minDelta = 0, bool restoreBest = false, MonitoredValue monitor = MonitoredValue.ValidationLoss) : Callback
{
    private double _best = double.PositiveInfinity;
    private int _waited;
    private float[] _bestParameters = [];

    /// <summary>The epoch after which training was stopped, counted from 1; 0 where it was not.</summary>
    public int StoppedEpoch { get; private set; }

    /// <summary>The best epoch so far, counted from 1; 0 before the first.</summary>
    public int BestEpoch { get; private set; }

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(patience);
        if (trainer.IsResuming)
        {
            return;
        }

        (_best, _waited, _bestParameters, StoppedEpoch, BestEpoch) = (double.PositiveInfinity, 0, [], 0, 0);
    }

    /// <inheritdoc/>
    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        double value = monitor.Read(result);
        if (value < _best - minDelta)
        {
            (_best, _waited, BestEpoch) = (value, 0, result.Epoch);
            if (restoreBest)
            {
                _bestParameters = trainer.Snapshot();
            }

            return;
        }

        // As Keras: with patience 3 the third epoch in a row without improvement is the last.
        if (++_waited >= Math.Max(patience, 1))
        {
            StoppedEpoch = result.Epoch;
            trainer.Stop();
        }
    }

    /// <inheritdoc/>
    public override void OnTrainEnd(Trainer trainer, History history)
    {
        if (restoreBest && _bestParameters.Length > 0)
        {
            trainer.Restore(_bestParameters);
        }
    }

    /// <inheritdoc/>
    public override void SaveState(CallbackState state)
    {
        state.Numbers["best"] = _best;
        state.Numbers["waited"] = _waited;
        // Checkpoints have counted epochs from 0 since before the API counted them from 1.
        state.Numbers["bestEpoch"] = BestEpoch - 1;
        state.Arrays["parameters"] = _bestParameters;
    }

    /// <inheritdoc/>
    public override void LoadState(CallbackState state)
    {
        (_best, _waited, BestEpoch, _bestParameters) = (
            state.RequireNumber("best"), (int)state.RequireNumber("waited", 0, int.MaxValue), (int)state.RequireNumber("bestEpoch", -1, int.MaxValue - 1) + 1,
            state.RequireArray("parameters"));
    }
}
