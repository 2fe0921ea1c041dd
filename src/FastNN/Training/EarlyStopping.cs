namespace FastNN;

/// <summary>
/// Ends training once a number has not improved for some epochs (Prechelt, 1998; options as Keras' EarlyStopping).
/// </summary>
/// <param name="patience">Epochs without improvement before stopping; 0 or more.</param>
/// <param name="minDelta">The least change that counts as improvement; default 0.</param>
/// <param name="restoreBest">Give the parameters and buffers of the best epoch back at the end, also when training ran to its last epoch;
/// default false.</param>
/// <param name="monitor">What is watched; default the validation loss.</param>
public sealed class EarlyStopping(int patience = 0, double minDelta = 0, bool restoreBest = false, MonitoredValue monitor = MonitoredValue.ValidationLoss) : Callback
{
    private double _best = double.PositiveInfinity;
    private int _waited;
    private float[] _bestParameters = [];
    private long? _snapshotLength;

    /// <summary>The epoch that training was ended after, or -1.</summary>
    public int StoppedEpoch { get; private set; } = -1;

    /// <summary>The best epoch so far, or -1.</summary>
    public int BestEpoch { get; private set; } = -1;

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(patience);
        _snapshotLength = trainer.SnapshotLength;
        if (trainer.IsResuming)
        {
            return;
        }

        (_best, _waited, _bestParameters, StoppedEpoch, BestEpoch) = (double.PositiveInfinity, 0, [], -1, -1);
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
        state.Numbers["bestEpoch"] = BestEpoch;
        state.Arrays["parameters"] = _bestParameters;
    }

    /// <inheritdoc/>
    public override void LoadState(CallbackState state)
    {
        float[] parameters = state.RequireArray("parameters");
        if (parameters.Length > 0 && _snapshotLength is { } expected && parameters.Length != expected)
        {
            throw state.Unexpected($"{expected} numbers of the best epoch's parameters and buffers, as many as the model has", $"{parameters.Length}");
        }

        if (Array.FindIndex(parameters, value => !float.IsFinite(value)) is >= 0 and var at)
        {
            throw state.Unexpected("finite parameters of the best epoch", $"{parameters[at]} at element {at}");
        }

        (_best, _waited, BestEpoch, _bestParameters) = (
            state.RequireNumber("best"), (int)state.RequireNumber("waited", 0, int.MaxValue), (int)state.RequireNumber("bestEpoch", -1, int.MaxValue),
            parameters);
    }
}
