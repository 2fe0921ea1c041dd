namespace FastNN;

/// <summary>
/// A running mean of the weights that an optimizer trains, kept on the device beside its states and in checkpoints. Training does
/// not look at it; <see cref="Trainer.UseAverage"/> puts it in the weights' place to evaluate, predict and save with, and
/// <see cref="Trainer.EvaluatesAverage"/> for the validation of <see cref="Trainer.Fit"/>. Buffers, such as running statistics,
/// are those of the last step.
/// </summary>
public sealed class WeightAverage
{
    private readonly float _decay;
    private readonly long _every;

    private WeightAverage(float decay, long start, long every) => (_decay, Start, _every) = (decay, start, every);

    /// <summary>Updates before the mean begins.</summary>
    public long Start { get; }

    /// <summary>
    /// The exponential mean, decay * mean + (1 - decay) * weights after each update (Polyak and Juditsky, 1992; PyTorch's
    /// get_ema_multi_avg_fn). The first update's weights are what it begins with.
    /// </summary>
    /// <param name="decay">In [0, 1); default 0.999.</param>
    /// <param name="start">Updates before it begins; default 0.</param>
    /// <returns>The mean.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static WeightAverage Exponential(float decay = 0.999f, long start = 0) => decay is >= 0 and < 1
        ? new WeightAverage(decay, NotNegative(start), 1)
        : throw new ArgumentOutOfRangeException(
            nameof(decay), $"WeightAverage: expected a decay in [0, 1), got {decay}.");

    /// <summary>
    /// The plain mean of the weights after every so many updates: stochastic weight averaging (Izmailov et al., 2018; PyTorch's
    /// AveragedModel).
    /// </summary>
    /// <param name="start">Updates before it begins; default 0.</param>
    /// <param name="every">Updates from one of its terms to the next, such as those of an epoch; default 1.</param>
    /// <returns>The mean.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static WeightAverage Equal(long start = 0, long every = 1) => every >= 1
        ? new WeightAverage(-1, NotNegative(start), every)
        : throw new ArgumentOutOfRangeException(
            nameof(every), $"WeightAverage: expected at least 1 update between terms, got {every}.");

    /// <summary>What the mean takes of the weights after an update; all of them until there is a mean.</summary>
    /// <param name="step">Counts from 1.</param>
    internal float Share(long step)
    {
        long since = step - Start - 1;
        if (since <= 0)
        {
            return 1;
        }

        return _decay >= 0 ? (float)(1 - (double)(decimal)_decay)
            : since % _every == 0 ? 1 / (float)((since / _every) + 1)
            : 0;
    }

    private static long NotNegative(long start) => start >= 0
        ? start
        : throw new ArgumentOutOfRangeException(nameof(start), $"WeightAverage: expected a start of at least 0, got {start}.");
}
