namespace FastNN;

/// <summary>
/// A learning rate that falls by a factor once a number has not improved for some time (PyTorch's ReduceLROnPlateau). It has a
/// state, so it is not a <see cref="Schedule"/>: give it to <see cref="Trainer.Fit"/> as a callback, which checkpoints save, or
/// call <see cref="Next"/> in a loop of your own.
/// </summary>
/// <param name="factor">What the rate is multiplied with, in (0, 1); default 0.1.</param>
/// <param name="patience">Epochs without improvement that change nothing; default 10.</param>
/// <param name="threshold">How much better a number must be to count, at least 0; default 1e-4.</param>
/// <param name="isRelative">Whether the threshold is a share of the best number's magnitude rather than a difference; default
/// true.</param>
/// <param name="cooldown">Epochs after a change that are not counted; default 0.</param>
/// <param name="least">The least rate; default 0.</param>
/// <param name="epsilon">A rate that would change by no more stays; default 1e-8.</param>
/// <param name="moreIsBetter">For <see cref="Next"/>: whether larger numbers are better; default false. As a callback it knows
/// from what it monitors.</param>
/// <param name="monitor">What is watched; default the validation loss.</param>
public sealed class ReduceOnPlateau(
    float factor = 0.1f, int patience = 10, double threshold = 1e-4, bool isRelative = true, int cooldown = 0, float least = 0,
    double epsilon = 1e-8, bool moreIsBetter = false, MonitoredValue monitor = default) : Callback
{
    private readonly double _factor = factor is > 0 and < 1
        ? (double)(decimal)factor
        : throw Out(nameof(factor), $"a factor in (0, 1), got {factor}");

    private readonly int _patience = patience >= 0
        ? patience
        : throw Out(nameof(patience), $"a patience of at least 0, got {patience}");

    private readonly double _threshold = threshold is >= 0 and < double.PositiveInfinity
        ? threshold
        : throw Out(nameof(threshold), $"a finite threshold of at least 0, got {threshold}");

    private readonly int _cooldown = cooldown >= 0
        ? cooldown
        : throw Out(nameof(cooldown), $"a cooldown of at least 0, got {cooldown}");

    private readonly float _least = least is >= 0 and < float.PositiveInfinity
        ? least
        : throw Out(nameof(least), $"a finite least rate of at least 0, got {least}");

    // The best number so far, with its sign turned where more is better; the decimal rate that the float one was rounded from.
    private double _best = double.PositiveInfinity;
    private double _rate = double.NaN;
    private int _waited;
    private int _cooling;

    /// <summary>The rate after a number is known.</summary>
    /// <param name="value">The number to improve.</param>
    /// <param name="rate">The rate so far.</param>
    /// <returns>The rate from now on.</returns>
    public float Next(double value, float rate) => Advance(moreIsBetter ? -value : value, rate);

    /// <inheritdoc/>
    public override void OnTrainBegin(Trainer trainer)
    {
        if (trainer.Optimizer.Schedule is not null)
        {
            throw new InvalidOperationException(
                "ReduceOnPlateau: expected an optimizer without a Schedule, which would set the learning rate anew at every step.");
        }

        if (!trainer.IsResuming)
        {
            (_best, _rate, _waited, _cooling) = (double.PositiveInfinity, double.NaN, 0, 0);
        }
    }

    /// <inheritdoc/>
    public override void OnEpochEnd(Trainer trainer, EpochResult result) =>
        trainer.Optimizer.LearningRate = Advance(monitor.Read(trainer, result), trainer.Optimizer.LearningRate);

    /// <inheritdoc/>
    public override void SaveState(CallbackState state)
    {
        state.Numbers["best"] = _best;
        state.Numbers["waited"] = _waited;
        state.Numbers["cooling"] = _cooling;
        if (!double.IsNaN(_rate))
        {
            state.Numbers["rate"] = _rate;
        }
    }

    /// <inheritdoc/>
    public override void LoadState(CallbackState state) => (_best, _waited, _cooling, _rate) = (
        state.RequireNumber("best"), (int)state.RequireNumber("waited", 0, int.MaxValue),
        (int)state.RequireNumber("cooling", 0, int.MaxValue),
        state.Numbers.ContainsKey("rate") ? state.RequireNumber("rate", 0) : double.NaN);

    private static ArgumentOutOfRangeException Out(string name, string what) => new(name, $"ReduceOnPlateau: expected {what}.");

    /// <param name="value">Less is better.</param>
    private float Advance(double value, float rate)
    {
        // Where somebody else set the rate, it is begun with anew.
        _rate = (float)_rate == rate ? _rate : (double)(decimal)rate;
        double limit = !isRelative ? _best - _threshold
            : double.IsInfinity(_best) ? _best
            : _best - (Math.Abs(_best) * _threshold);
        if (value < limit)
        {
            (_best, _waited) = (value, 0);
        }
        else
        {
            _waited++;
        }

        if (_cooling > 0)
        {
            (_cooling, _waited) = (_cooling - 1, 0);
        }

        if (_waited > _patience)
        {
            double next = Math.Max(_rate * _factor, _least);
            _rate = _rate - next > epsilon ? next : _rate;
            (_cooling, _waited) = (_cooldown, 0);
        }

        return (float)_rate;
    }
}
