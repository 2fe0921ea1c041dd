using System.Globalization;

namespace FastNN;

/// <summary>
/// Watches training and may steer it. All methods do nothing unless overridden; they run on the training thread. For a line or
/// two, <see cref="OnEpochEnd(Action{EpochResult})"/> and its like make a callback from a lambda.
/// </summary>
public abstract class Callback
{
    /// <summary>
    /// A callback that calls a function after each epoch: <c>Callback.OnEpochEnd(result => Console.WriteLine(result))</c>.
    /// </summary>
    /// <param name="action">Gets the epoch's numbers.</param>
    /// <returns>The callback.</returns>
    public static Callback OnEpochEnd(Action<EpochResult> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return new ActionCallback { EpochEnd = (_, result) => action(result) };
    }

    /// <summary>A callback that calls a function after each epoch.</summary>
    /// <param name="action">Gets the trainer, whose <see cref="Trainer.Stop"/> ends training, and the epoch's numbers.</param>
    /// <returns>The callback.</returns>
    public static Callback OnEpochEnd(Action<Trainer, EpochResult> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return new ActionCallback { EpochEnd = action };
    }

    /// <summary>A callback that calls a function after each training step.</summary>
    /// <param name="action">Gets the step's numbers.</param>
    /// <returns>The callback.</returns>
    public static Callback OnBatchEnd(Action<BatchResult> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return new ActionCallback { BatchEnd = action };
    }

    /// <summary>Called once before the first epoch, also when a run is resumed.</summary>
    /// <param name="trainer">The trainer.</param>
    public virtual void OnTrainBegin(Trainer trainer)
    {
    }

    /// <summary>Called before an epoch's first step.</summary>
    /// <param name="trainer">The trainer; the optimizer's learning rate may be changed.</param>
    /// <param name="epoch">The epoch, counted from 1.</param>
    public virtual void OnEpochBegin(Trainer trainer, int epoch)
    {
    }

    /// <summary>Called after each step.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="result">The step's numbers.</param>
    public virtual void OnBatchEnd(Trainer trainer, in BatchResult result)
    {
    }

    /// <summary>Called after each epoch and its validation.</summary>
    /// <param name="trainer">The trainer; <see cref="Trainer.Stop"/> ends training here.</param>
    /// <param name="result">The epoch's numbers.</param>
    public virtual void OnEpochEnd(Trainer trainer, EpochResult result)
    {
    }

    /// <summary>Called once after the last epoch, not when training fails or is cancelled.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="history">All epochs.</param>
    public virtual void OnTrainEnd(Trainer trainer, History history)
    {
    }

    /// <summary>Saves the callback's state in a checkpoint.</summary>
    /// <param name="state">Receives it.</param>
    public virtual void SaveState(CallbackState state)
    {
    }

    /// <summary>Restores it when a run is resumed.</summary>
    /// <param name="state">What <see cref="SaveState"/> wrote.</param>
    public virtual void LoadState(CallbackState state)
    {
    }

    private sealed class ActionCallback : Callback
    {
        public Action<Trainer, EpochResult>? EpochEnd { get; init; }

        public Action<BatchResult>? BatchEnd { get; init; }

        public override void OnBatchEnd(Trainer trainer, in BatchResult result) => BatchEnd?.Invoke(result);

        public override void OnEpochEnd(Trainer trainer, EpochResult result) => EpochEnd?.Invoke(trainer, result);
    }
}

/// <summary>What a callback keeps in a checkpoint.</summary>
public sealed class CallbackState
{
    /// <summary>Numbers by name.</summary>
    public Dictionary<string, double> Numbers { get; } = [];

    /// <summary>Arrays by name.</summary>
    public Dictionary<string, float[]> Arrays { get; } = [];

    /// <summary>Texts by name.</summary>
    public Dictionary<string, string> Texts { get; } = [];

    /// <summary>The file it came from.</summary>
    internal string Source { get; init; } = "";

    /// <summary>A number that the callback needs.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="least">The least that it can be; default anything but NaN.</param>
    /// <param name="most">The most.</param>
    /// <exception cref="FileFormatException">The number is missing or out of range.</exception>
    public double RequireNumber(string name, double least = double.NegativeInfinity, double most = double.PositiveInfinity) =>
        Numbers.TryGetValue(name, out double value) && value >= least && value <= most
            ? value
            : throw new FileFormatException(
                Source, 0,
                string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most} for {name} of a callback"),
                Numbers.TryGetValue(name, out value) ? value.ToString(CultureInfo.InvariantCulture) : "nothing");

    /// <summary>The error of a file that holds something else.</summary>
    internal FileFormatException Unexpected(string expected, string got) => new(Source, 0, expected, got);

    /// <summary>An array that the callback needs.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="FileFormatException">The array is missing.</exception>
    public float[] RequireArray(string name) => Arrays.TryGetValue(name, out float[]? array)
        ? array
        : throw new FileFormatException(Source, 0, $"an array {name} of a callback", "nothing");
}
