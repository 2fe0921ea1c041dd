using FastNN.Data;

namespace FastNN;

/// <summary>One step of a <see cref="LearningRateSearch"/>.</summary>
/// <param name="LearningRate">The rate of the step's update.</param>
/// <param name="Loss">The loss of the step's batch, before the update.</param>
/// <param name="Smoothed">The mean of the losses so far, each weighing <see cref="LearningRateSearch.Smoothing"/> of the one
/// behind it, corrected for the start.</param>
public readonly record struct LearningRateStep(float LearningRate, float Loss, double Smoothed);

/// <summary>
/// A range test of learning rates (Smith, "Cyclical Learning Rates for Training Neural Networks", 2017): trains with a rate that
/// grows from step to step by a constant factor, until the loss diverges.
/// </summary>
public sealed class LearningRateSearch
{
    /// <summary>What a loss weighs in the mean of the next step, 0.9.</summary>
    public const double Smoothing = 0.9;

    /// <summary>The search ends where the smoothed loss is so many times its least.</summary>
    private const double Divergence = 4;

    private readonly LearningRateStep[] _steps;

    private LearningRateSearch(LearningRateStep[] steps) => _steps = steps;

    /// <summary>The steps, by rising rate. The last ones may have a loss that is not finite.</summary>
    public IReadOnlyList<LearningRateStep> Steps => _steps;

    /// <summary>Whether it ended before the highest rate because the loss diverged.</summary>
    public bool Diverged { get; private init; }

    /// <summary>The rate where the smoothed loss falls steepest over the logarithm of the rate: a good first choice for a
    /// constant rate. NaN where it falls nowhere.</summary>
    public float Steepest
    {
        get
        {
            // The mean of the first few losses says little, a slope needs a step before and behind, and what falls beyond the
            // lowest loss comes back from where training broke down.
            double steepest = 0;
            float rate = float.NaN;
            int lowest = LowestStep;
            for (int i = Math.Min(5, _steps.Length / 4) + 1; i < lowest; i++)
            {
                double slope = _steps[i + 1].Smoothed - _steps[i - 1].Smoothed;
                if (slope < steepest)
                {
                    (steepest, rate) = (slope, _steps[i].LearningRate);
                }
            }

            return rate;
        }
    }

    /// <summary>The rate of the least smoothed loss: about the highest at which training is still stable. A tenth of it is a
    /// cautious choice.</summary>
    public float Lowest => _steps[LowestStep].LearningRate;

    private int LowestStep
    {
        get
        {
            int best = 0;
            for (int i = 1; i < _steps.Length; i++)
            {
                best = _steps[i].Smoothed < _steps[best].Smoothed ? i : best;
            }

            return best;
        }
    }

    /// <summary>Runs a search on batches in the order of the first epoch; more epochs follow where the data has too
    /// few.</summary>
    /// <param name="trainer">A trainer of a built model of its own, which the search trains and may ruin. Its optimizer must have
    /// no schedule.</param>
    /// <param name="data">What to train on.</param>
    /// <param name="batchSize">Examples of a step, at most those of the data.</param>
    /// <param name="low">The first rate; default 1e-6.</param>
    /// <param name="high">The rate that the last step would have; default 1.</param>
    /// <param name="steps">Steps at most, at least 10; default 100.</param>
    /// <param name="seed">Of the order of examples.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The steps.</returns>
    /// <exception cref="ArgumentException">The optimizer has a schedule, or the data has fewer examples than a batch.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The rates are not positive, finite and rising, or there are fewer than 10
    /// steps.</exception>
    public static LearningRateSearch Run(
        Trainer trainer, Dataset data, int batchSize, float low = 1e-6f, float high = 1, int steps = 100, ulong seed = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(data);
        Check(trainer, data, batchSize, low, high, steps);
        using var loader = new DataLoader(data, batchSize, shuffle: true, dropLast: true, seed: seed);
        var done = new List<LearningRateStep>();
        double mean = 0, weight = 0, least = double.PositiveInfinity;
        for (int epoch = 1; done.Count < steps; epoch++)
        {
            loader.StartEpoch(epoch, cancellationToken: cancellationToken);
            while (done.Count < steps && loader.TryNext(out Batch batch))
            {
                cancellationToken.ThrowIfCancellationRequested();
                float rate = (float)(low * Math.Pow((double)high / low, done.Count / (steps - 1.0)));
                trainer.Optimizer.LearningRate = rate;
                float loss = batch.Labels.IsEmpty
                    ? trainer.TrainBatch(batch.Features, batch.Targets)
                    : trainer.TrainBatch(batch.Features, batch.Labels);
                (mean, weight) = ((Smoothing * mean) + ((1 - Smoothing) * loss), (Smoothing * weight) + 1 - Smoothing);
                double smoothed = mean / weight;
                done.Add(new LearningRateStep(rate, loss, smoothed));
                least = Math.Min(least, smoothed);
                // NaN is not below anything.
                if (!(smoothed <= least + ((Divergence - 1) * Math.Abs(least))) || !float.IsFinite(loss))
                {
                    return new LearningRateSearch([.. done]) { Diverged = true };
                }
            }
        }

        return new LearningRateSearch([.. done]);
    }

    private static void Check(Trainer trainer, Dataset data, int batchSize, float low, float high, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        if (!(low > 0) || !(high > low) || !float.IsFinite(high))
        {
            throw new ArgumentOutOfRangeException(
                nameof(low), $"LearningRateSearch: expected finite rates above 0, the lowest first, got {low} and {high}.");
        }

        if (steps < 10)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), $"LearningRateSearch: expected at least 10 steps, got {steps}.");
        }

        if (trainer.Optimizer.Schedule is not null)
        {
            throw new ArgumentException(
                "LearningRateSearch: expected an optimizer without a schedule, whose rates would replace those of the search.",
                nameof(trainer));
        }

        if (data.Count < batchSize)
        {
            throw new ArgumentException(
                $"LearningRateSearch: expected at least a batch of {batchSize} examples, got {data.Count}.", nameof(data));
        }
    }
}
