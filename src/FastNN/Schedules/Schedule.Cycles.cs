namespace FastNN;

/// <summary>How a rate goes from one to another.</summary>
public enum Annealing
{
    /// <summary>Along half a cosine.</summary>
    Cosine,

    /// <summary>In a straight line.</summary>
    Linear,
}

/// <summary>How the height of a <see cref="Schedule.Cyclic"/> schedule's cycles changes.</summary>
public enum CycleMode
{
    /// <summary>All cycles are alike.</summary>
    Triangular,

    /// <summary>Each is half as high as the one before it.</summary>
    Halving,

    /// <summary>The height is multiplied with a factor at every step.</summary>
    Exponential,
}

/// <content>Schedules that rise and fall.</content>
public abstract partial class Schedule
{
    /// <summary>
    /// Half a cosine from a rate to another, again and again (Loshchilov and Hutter, 2017; PyTorch's
    /// CosineAnnealingWarmRestarts).
    /// </summary>
    /// <param name="rate">The rate at which each period begins.</param>
    /// <param name="period">Steps of the first period.</param>
    /// <param name="multiplier">How much longer each period is than the one before it, at least 1; default 1.</param>
    /// <param name="final">What each period falls to; default 0.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Schedule CosineRestarts(float rate, long period, int multiplier = 1, float final = 0) => multiplier >= 1
        ? new RestartSchedule(
            Rate(rate, nameof(rate)), Rate(final, nameof(final)), Positive(period, nameof(period)), multiplier)
        : throw new ArgumentOutOfRangeException(
            nameof(multiplier), $"Schedule: expected a multiplier of at least 1, got {multiplier}.");

    /// <summary>
    /// One cycle (Smith and Topin, 2019; PyTorch's OneCycleLR): up from highest / divisor to the highest rate, then down to that
    /// over divisor times final divisor. <see cref="OneCycleMomentum"/> gives the momentum that goes with it.
    /// </summary>
    /// <param name="highest">The highest rate.</param>
    /// <param name="steps">Steps of the whole cycle, at least 2; the last rate is kept from there on.</param>
    /// <param name="rising">The share of the cycle in which the rate rises, in (0, 1); default 0.3.</param>
    /// <param name="annealing">Default along cosines.</param>
    /// <param name="divisor">Default 25.</param>
    /// <param name="finalDivisor">Default 10,000.</param>
    /// <param name="threePhases">Falls as long as it rose, back to where it began, and then to the end; default false. Where it
    /// rises in more than half of the cycle, the cycle ends while it falls, as in PyTorch.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Schedule OneCycle(
        float highest, long steps, float rising = 0.3f, Annealing annealing = Annealing.Cosine, float divisor = 25,
        float finalDivisor = 10_000, bool threePhases = false)
    {
        RequireAbove(divisor, nameof(divisor));
        RequireAbove(finalDivisor, nameof(finalDivisor));
        double first = Rate(highest, nameof(highest)) / (double)divisor, last = first / finalDivisor;
        return Cycle(
            steps, rising, annealing, threePhases ? [first, highest, first, last] : [first, highest, last]);
    }

    /// <summary>The momentum of a <see cref="OneCycle"/>, for <see cref="Optimizer.MomentumSchedule"/>: low where the rate is
    /// high.</summary>
    /// <param name="steps">As that of the rates.</param>
    /// <param name="rising">Likewise.</param>
    /// <param name="annealing">Likewise.</param>
    /// <param name="lowest">Default 0.85.</param>
    /// <param name="highest">In [0, 1); default 0.95.</param>
    /// <param name="threePhases">As that of the rates.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Schedule OneCycleMomentum(
        long steps, float rising = 0.3f, Annealing annealing = Annealing.Cosine, float lowest = 0.85f, float highest = 0.95f,
        bool threePhases = false)
    {
        Rate(lowest, nameof(lowest));
        if (!(highest >= lowest && highest < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(highest), $"Schedule: expected a momentum from {lowest} to below 1, got {highest}.");
        }

        return Cycle(
            steps, rising, annealing, threePhases ? [highest, lowest, highest, highest] : [highest, lowest, highest]);
    }

    /// <summary>
    /// Up and down between two rates in straight lines (Smith, 2017; PyTorch's CyclicLR).
    /// </summary>
    /// <param name="lowest">Where each cycle begins and ends.</param>
    /// <param name="highest">The top of the first cycle, at least <paramref name="lowest"/>.</param>
    /// <param name="up">Steps up.</param>
    /// <param name="down">Steps down; 0 (default) for as many as up.</param>
    /// <param name="mode">How the height changes; default not at all.</param>
    /// <param name="factor">That of <see cref="CycleMode.Exponential"/>, in (0, 1]; default 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Schedule Cyclic(
        float lowest, float highest, long up, long down = 0, CycleMode mode = CycleMode.Triangular, float factor = 1)
    {
        if (Rate(highest, nameof(highest)) < Rate(lowest, nameof(lowest)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(highest), $"Schedule: expected a highest rate of at least the lowest, {lowest}, got {highest}.");
        }

        if (factor is not (> 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(factor), $"Schedule: expected a factor in (0, 1], got {factor}.");
        }

        if (!Enum.IsDefined(mode))
        {
            throw new ArgumentOutOfRangeException(
                nameof(mode), $"Schedule: expected a mode of Triangular, Halving or Exponential, got {mode}.");
        }

        down = down == 0 ? Positive(up, nameof(up)) : Positive(down, nameof(down));
        return Positive(up, nameof(up)) <= long.MaxValue - down
            ? new CyclicSchedule(lowest, highest, up, down, mode, factor)
            : throw new ArgumentOutOfRangeException(
                nameof(up), $"Schedule: expected a cycle of at most {long.MaxValue} steps, got {up} steps up and {down} down.");
    }

    private static PhasedSchedule Cycle(long steps, float rising, Annealing annealing, double[] levels)
    {
        if (steps < 2)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), $"Schedule: expected a cycle of at least 2 steps, got {steps}.");
        }

        if (rising is not (> 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(rising), $"Schedule: expected a share in (0, 1), got {rising}.");
        }

        if (!Enum.IsDefined(annealing))
        {
            throw new ArgumentOutOfRangeException(
                nameof(annealing), $"Schedule: expected an annealing of Cosine or Linear, got {annealing}.");
        }

        double top = ((double)(decimal)rising * steps) - 1;
        double[] ends = levels.Length == 3 ? [top, steps - 1] : [top, (2 * top), steps - 1];
        return new PhasedSchedule(ends, levels, annealing);
    }

    private static void RequireAbove(float value, string name)
    {
        if (value is not (> 0 and < float.PositiveInfinity))
        {
            throw new ArgumentOutOfRangeException(name, $"Schedule: expected a finite {name} above 0, got {value}.");
        }
    }

    private sealed class RestartSchedule(float rate, float final, long period, int multiplier) : Schedule
    {
        public override float At(long step)
        {
            long at = Math.Max(step, 0), length = period;
            if (multiplier == 1)
            {
                at %= length;
            }

            while (at >= length)
            {
                at -= length;

                // A period that no run reaches the end of.
                length = length > long.MaxValue / multiplier ? long.MaxValue : length * multiplier;
            }

            return (float)(final + (((double)rate - final) * (1 + Math.Cos(Math.PI * at / length)) / 2));
        }

        public override string ToString() => $"{rate} to {final} in {period} steps, with restarts";
    }

    /// <param name="ends">The last step of each phase, not always whole.</param>
    /// <param name="levels">Where the first phase begins, and where each ends.</param>
    private sealed class PhasedSchedule(double[] ends, double[] levels, Annealing annealing) : Schedule
    {
        public override float At(long step)
        {
            double at = Math.Clamp(step, 0, ends[^1]), start = 0;
            int phase = 0;
            for (; phase < ends.Length - 1 && at > ends[phase]; phase++)
            {
                start = ends[phase];
            }

            double share = ends[phase] > start ? (at - start) / (ends[phase] - start) : 1;
            double weight = annealing == Annealing.Cosine ? (1 + Math.Cos(Math.PI * share)) / 2 : 1 - share;
            return (float)(levels[phase + 1] + ((levels[phase] - levels[phase + 1]) * weight));
        }

        public override string ToString() => $"one cycle of {string.Join(", ", levels)} in {ends[^1] + 1} steps";
    }

    private sealed class CyclicSchedule(float lowest, float highest, long up, long down, CycleMode mode, float factor) : Schedule
    {
        public override float At(long step)
        {
            long at = Math.Max(step, 0), cycle = at / (up + down), within = at % (up + down);
            double height = within <= up ? within / (double)up : (up + down - within) / (double)down;
            double scale = mode switch
            {
                CycleMode.Halving => Math.Pow(0.5, cycle),
                CycleMode.Exponential => Math.Pow((double)(decimal)factor, at),
                _ => 1,
            };
            return (float)(lowest + (((double)highest - lowest) * height * scale));
        }

        public override string ToString() => $"{lowest} to {highest} and back in {up + down} steps";
    }
}
