namespace FastNN;

/// <summary>
/// Ends training once a number has not improved for some epochs (Prechelt, 1998; options as Keras' EarlyStopping).
/// </summary>
/// <param name="patience">Epochs without improvement before training stops; 0 or more.</param>
/// <param name="minDelta">The least change that counts as improvement; default 0.</param>
/// <param name="restoreBest">Restore the parameters and buffers of the best epoch at the end, also when training ran to its last
/// epoch; default false.</param>
/// <param name="monitor">What is watched; default the validation loss.</param>
public sealed class EarlyStopping(
    int patience = 0, double minDelta = 0, bool restoreBest = false, MonitoredValue monitor = default) : Callback
{
    private double _best = double.PositiveInfinity;
    private int _waited;
    private float[] _bestParameters = [];
    private bool _inDeviceOrder;
    private Trainer? _trainer;

    /// <summary>The epoch after which training was stopped, counted from 1; 0 where it was not.</summary>
    public int StoppedEpoch { get; private set; }

    /// <summary>The best epoch so far, counted from 1; 0 before the first.</summary>
    public int BestEpoch { get; private set; }

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(patience);
        _trainer = trainer;
        if (trainer.IsResuming)
        {
            return;
        }

        (_best, _waited, _bestParameters, _inDeviceOrder, StoppedEpoch, BestEpoch) = (
            double.PositiveInfinity, 0, [], false, 0, 0);
    }

    /// <inheritdoc/>
    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        double value = monitor.Read(trainer, result);
        if (value < _best - minDelta)
        {
            (_best, _waited, BestEpoch) = (value, 0, result.Epoch);
            if (restoreBest)
            {
                (_bestParameters, _inDeviceOrder) = (trainer.Snapshot(), false);
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
            trainer.Restore(_inDeviceOrder ? trainer.FromDeviceOrder(_bestParameters) : _bestParameters);
        }
    }

    /// <inheritdoc/>
    public override void SaveState(CallbackState state)
    {
        state.Numbers["best"] = _best;
        state.Numbers["waited"] = _waited;
        // Checkpoints have counted epochs from 0 since before the API counted them from 1.
        state.Numbers["bestEpoch"] = BestEpoch - 1;
        state.Arrays[_inDeviceOrder ? "parameters" : "weights"] = _bestParameters;
    }

    /// <inheritdoc/>
    public override void LoadState(CallbackState state)
    {
        // Files of the first releases hold them as they lay on the device, padding included.
        bool inDeviceOrder = state.Arrays.ContainsKey("parameters");
        float[] parameters = state.RequireArray(inDeviceOrder ? "parameters" : "weights");
        if (parameters.Length > 0 && _trainer is not null
            && (inDeviceOrder ? _trainer.DeviceLength : _trainer.SnapshotLength) is var expected
            && parameters.Length != expected)
        {
            throw state.Unexpected(
                $"{expected} numbers of the best epoch's parameters and buffers, as many as the model has",
                $"{parameters.Length}");
        }

        if (Array.FindIndex(parameters, value => !float.IsFinite(value)) is >= 0 and var at)
        {
            throw state.Unexpected("finite parameters of the best epoch", $"{parameters[at]} at element {at}");
        }

        (_best, _waited, BestEpoch, _bestParameters, _inDeviceOrder) = (
            state.RequireNumber("best"), (int)state.RequireNumber("waited", 0, int.MaxValue),
            (int)state.RequireNumber("bestEpoch", -1, int.MaxValue - 1) + 1,
            parameters, inDeviceOrder);
    }
}
