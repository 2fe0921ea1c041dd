namespace FastNN;

/// <summary>
/// The learning rate as a function of the updates made so far. A schedule has no state, so a resumed run goes on where it was.
/// Schedules of one's own derive from this class.
/// </summary>
public abstract partial class Schedule
{
    /// <summary>The learning rate of an update.</summary>
    /// <param name="step">Updates made before it: 0 for the first.</param>
    /// <returns>A finite number, not negative.</returns>
    public abstract float At(long step);

    /// <summary>The same rate for ever.</summary>
    /// <param name="rate">The learning rate.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rate is negative or not finite.</exception>
    public static Schedule Constant(float rate) => new ConstantSchedule(Rate(rate, nameof(rate)));

    /// <summary>
    /// Half a cosine from one rate to another (Loshchilov and Hutter, 2017; PyTorch's CosineAnnealingLR in closed form, without
    /// restarts).
    /// </summary>
    /// <param name="rate">The rate at step 0.</param>
    /// <param name="steps">Steps until <paramref name="final"/>, which is kept from there on.</param>
    /// <param name="final">Default 0.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A rate is negative or not finite, or the number of steps is not
    /// positive.</exception>
    public static Schedule Cosine(float rate, long steps, float final = 0) => new FadeSchedule(
        Rate(rate, nameof(rate)), Rate(final, nameof(final)), Positive(steps, nameof(steps)),
        share => (1 + Math.Cos(Math.PI * share)) / 2);

    /// <summary>A straight line from one rate to another (PyTorch's LinearLR).</summary>
    /// <param name="rate">The rate at step 0.</param>
    /// <param name="steps">Steps until <paramref name="final"/>, which is kept from there on.</param>
    /// <param name="final">Default 0.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A rate is negative or not finite, or the number of steps is not
    /// positive.</exception>
    public static Schedule Linear(float rate, long steps, float final = 0) => new FadeSchedule(
        Rate(rate, nameof(rate)), Rate(final, nameof(final)), Positive(steps, nameof(steps)), share => 1 - share);

    /// <summary>
    /// The rate times a factor after every so many steps (PyTorch's StepLR, and with 1 step its ExponentialLR).
    /// </summary>
    /// <param name="rate">The rate at step 0.</param>
    /// <param name="factor">In (0, 1].</param>
    /// <param name="every">Steps between multiplications; default 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Schedule Decay(float rate, float factor, long every = 1) => factor is > 0 and <= 1
        ? new DecaySchedule(Rate(rate, nameof(rate)), factor, Positive(every, nameof(every)))
        : throw new ArgumentOutOfRangeException(nameof(factor), $"Schedule: expected a factor in (0, 1], got {factor}.");

    /// <summary>
    /// Rises in a straight line to the first rate of the schedule behind it: of the <paramref name="steps"/> first updates,
    /// number i (from 1) takes i / steps of it. <c>Schedule.Warmup(500).Then(Schedule.Cosine(1e-3f, steps: 10_000))</c>
    /// </summary>
    /// <param name="steps">Updates before the full rate.</param>
    /// <returns>What <see cref="ScheduleWarmup.Then"/> completes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is not positive.</exception>
    public static ScheduleWarmup Warmup(long steps) => new(Positive(steps, nameof(steps)));

    /// <summary>This schedule for some steps, then another from its beginning.</summary>
    /// <param name="steps">Steps of this one.</param>
    /// <param name="next">What follows.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is not positive.</exception>
    public Schedule For(long steps, Schedule next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return new ChainSchedule(this, Positive(steps, nameof(steps)), next);
    }

    /// <summary>The rates of the first steps, for plots and tests.</summary>
    /// <param name="steps">How many.</param>
    /// <returns>One rate per step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative or more than an array can have.</exception>
    public float[] First(int steps)
    {
        if (steps < 0 || steps > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(
                nameof(steps), $"Schedule: expected 0 to {Array.MaxLength} steps, got {steps}.");
        }

        var rates = new float[steps];
        for (int step = 0; step < steps; step++)
        {
            rates[step] = At(step);
        }

        return rates;
    }

    private protected static float Rate(float rate, string name) => float.IsFinite(rate) && rate >= 0
        ? rate
        : throw new ArgumentOutOfRangeException(name, $"Schedule: expected a finite rate of at least 0, got {rate}.");

    private protected static long Positive(long steps, string name) => steps > 0
        ? steps
        : throw new ArgumentOutOfRangeException(name, $"Schedule: expected at least 1 step, got {steps}.");

    private sealed class ConstantSchedule(float rate) : Schedule
    {
        public override float At(long step) => rate;

        public override string ToString() => $"{rate}";
    }

    /// <param name="weight">How much of the first rate is left, from 1 to 0, at a share of the way from 0 to 1.</param>
    private sealed class FadeSchedule(float first, float last, long steps, Func<double, double> weight) : Schedule
    {
        public override float At(long step) =>
            step >= steps ? last : (float)(last + (((double)first - last) * weight((double)Math.Max(step, 0) / steps)));

        public override string ToString() => $"{first} to {last} in {steps} steps";
    }

    private sealed class DecaySchedule(float rate, float factor, long every) : Schedule
    {
        // From the decimals that were meant: 0.9f to the power of a thousand is off in the fifth digit.
        public override float At(long step) => (float)(rate * Math.Pow((double)(decimal)factor, Math.Max(step, 0) / every));

        public override string ToString() => $"{rate}, times {factor} after every {every} steps";
    }

    internal sealed class WarmupSchedule(long steps, Schedule next) : Schedule
    {
        public override float At(long step) =>
            step >= steps ? next.At(step - steps) : (float)((double)next.At(0) * (Math.Max(step, 0) + 1) / steps);

        public override string ToString() => $"{steps} steps of warm-up, then {next}";
    }

    private sealed class ChainSchedule(Schedule first, long steps, Schedule next) : Schedule
    {
        public override float At(long step) => step < steps ? first.At(step) : next.At(step - steps);

        public override string ToString() => $"{first} for {steps} steps, then {next}";
    }
}

/// <summary>A warm-up that waits for the schedule to warm up to.</summary>
public readonly struct ScheduleWarmup
{
    private readonly long _steps;

    internal ScheduleWarmup(long steps) => _steps = steps;

    /// <summary>The warm-up, then this schedule from its beginning.</summary>
    /// <param name="schedule">What follows.</param>
    /// <returns>The schedule.</returns>
    public Schedule Then(Schedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return _steps == 0 ? schedule : new Schedule.WarmupSchedule(_steps, schedule);
    }
}
