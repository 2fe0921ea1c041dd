namespace FastNN;

/// <content>Schedules of milestones, powers and other schedules.</content>
public abstract partial class Schedule
{
    /// <summary>A function of the updates made so far, as PyTorch's LambdaLR.</summary>
    /// <param name="rate">Gives a finite rate of at least 0 for every step from 0 on.</param>
    /// <returns>The schedule.</returns>
    public static Schedule From(Func<long, float> rate)
    {
        ArgumentNullException.ThrowIfNull(rate);
        return new FunctionSchedule(rate);
    }

    /// <summary>The rate times a factor after every step (PyTorch's ExponentialLR).</summary>
    /// <param name="rate">The rate at step 0.</param>
    /// <param name="factor">In (0, 1].</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Schedule Exponential(float rate, float factor) => Decay(rate, factor);

    /// <summary>The rate times a factor at each of some steps (PyTorch's MultiStepLR).</summary>
    /// <param name="rate">The rate at step 0.</param>
    /// <param name="factor">In (0, 1].</param>
    /// <param name="milestones">Steps, each larger than the one before it; at least one.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Schedule MultiStep(float rate, float factor, params ReadOnlySpan<long> milestones)
    {
        if (factor is not (> 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(factor), $"Schedule: expected a factor in (0, 1], got {factor}.");
        }

        long[] steps = milestones.ToArray();
        for (int i = 0; i < steps.Length; i++)
        {
            if (steps[i] <= (i == 0 ? 0 : steps[i - 1]))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(milestones), $"Schedule: expected rising milestones above 0, got {string.Join(", ", steps)}.");
            }
        }

        return steps.Length > 0
            ? new MultiStepSchedule(Rate(rate, nameof(rate)), factor, steps)
            : throw new ArgumentOutOfRangeException(nameof(milestones), "Schedule: expected at least one milestone, got none.");
    }

    /// <summary>From one rate to another as (1 - step / steps)^power (PyTorch's PolynomialLR).</summary>
    /// <param name="rate">The rate at step 0.</param>
    /// <param name="steps">Steps until <paramref name="final"/>, which is kept from there on.</param>
    /// <param name="power">Above 0; default 1, a straight line.</param>
    /// <param name="final">Default 0.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Schedule Polynomial(float rate, long steps, float power = 1, float final = 0) =>
        power is > 0 and < float.PositiveInfinity
            ? new FadeSchedule(
                Rate(rate, nameof(rate)), Rate(final, nameof(final)), Positive(steps, nameof(steps)),
                share => Math.Pow(1 - share, power))
            : throw new ArgumentOutOfRangeException(
                nameof(power), $"Schedule: expected a finite power above 0, got {power}.");

    /// <summary>
    /// This schedule's rates times those of another, step by step (PyTorch's ChainedScheduler): <c>Schedule.Exponential(0.1f,
    /// 0.99f).Times(Schedule.Linear(0.1f, 10, final: 1))</c>
    /// </summary>
    /// <param name="factors">What rates are multiplied with.</param>
    /// <returns>The schedule.</returns>
    public Schedule Times(Schedule factors)
    {
        ArgumentNullException.ThrowIfNull(factors);
        return new ProductSchedule(this, factors);
    }

    private sealed class FunctionSchedule(Func<long, float> rate) : Schedule
    {
        public override float At(long step) => rate(Math.Max(step, 0)) is var value && float.IsFinite(value) && value >= 0
            ? value
            : throw new InvalidOperationException(
                $"Schedule: expected the function to give a finite rate of at least 0, got {value} for step {step}.");

        public override string ToString() => "a function of the step";
    }

    private sealed class MultiStepSchedule(float rate, float factor, long[] milestones) : Schedule
    {
        public override float At(long step)
        {
            int passed = 0;
            while (passed < milestones.Length && milestones[passed] <= step)
            {
                passed++;
            }

            return (float)(rate * Math.Pow((double)(decimal)factor, passed));
        }

        public override string ToString() => $"{rate}, times {factor} at steps {string.Join(", ", milestones)}";
    }

    private sealed class ProductSchedule(Schedule first, Schedule second) : Schedule
    {
        public override float At(long step) => (float)((double)first.At(step) * second.At(step));

        public override string ToString() => $"({first}) times ({second})";
    }
}
