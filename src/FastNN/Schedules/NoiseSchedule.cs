namespace FastNN;

/// <summary>
/// How a diffusion model's data turn into noise, step by step, and how they are made out of it again: the forward process and the
/// samplers of Ho et al. (2020, DDPM) and Song et al. (2021, DDIM). The network predicts the velocity (Salimans and Ho, 2022),
/// which is well scaled at every step; it lives with the user, who writes batches of <see cref="Diffuse"/> to it and trains it
/// towards <see cref="Velocity"/> by the mean squared error.
/// </summary>
/// <example>
/// <code>
/// int[] steps = schedule.Respace(25);                             // [Steps, ..., 0]
/// for (int i = 1; i &lt; steps.Length; i++)
/// {
///     float[] velocity = Predict(x, steps[i - 1]);                // x begins as normal noise
///     schedule.Denoise(x, velocity, steps[i - 1], steps[i]);
/// }
/// </code>
/// </example>
public sealed class NoiseSchedule
{
    private readonly double[] _signal;

    private NoiseSchedule(double[] signal) => _signal = signal;

    /// <summary>Steps from the data (0) to noise.</summary>
    public int Steps => _signal.Length - 1;

    /// <summary>
    /// Variances of the steps that grow linearly (Ho et al., 2020, who take 1e-4 to 0.02 for 1,000 steps).
    /// </summary>
    /// <param name="steps">From data to noise.</param>
    /// <param name="first">The first step's variance; default 1e-4.</param>
    /// <param name="last">The last step's; default 0.02.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no step, or not 0 &lt; first &lt;= last &lt; 1.</exception>
    public static NoiseSchedule Linear(int steps, float first = 1e-4f, float last = 0.02f)
    {
        if (!(first > 0 && first <= last && last < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(first), $"NoiseSchedule: expected variances 0 < first <= last < 1, got {first} and {last}.");
        }

        return Of(steps, step => first + ((last - (double)first) * (steps == 1 ? 0 : (step - 1) / (steps - 1.0))));
    }

    /// <summary>
    /// The signal falls as a squared cosine (Nichol and Dhariwal, 2021), for any number of steps.
    /// </summary>
    /// <param name="steps">From data to noise.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no step.</exception>
    public static NoiseSchedule Cosine(int steps)
    {
        // The variance of a step is at most 0.999, so that a trace of the signal is left at the end.
        return Of(steps, step => Math.Min(0.999, 1 - (Signal(step) / Signal(step - 1))));

        double Signal(int step)
        {
            double cosine = Math.Cos(((step / (double)steps) + 0.008) / 1.008 * Math.PI / 2);
            return cosine * cosine;
        }
    }

    /// <summary>The share of the data's variance that is left at a step: 1 at step 0, almost 0 at the last (alpha bar).</summary>
    /// <param name="step">From 0 to <see cref="Steps"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such step.</exception>
    public double Signal(int step) => (uint)step < (uint)_signal.Length
        ? _signal[step]
        : throw new ArgumentOutOfRangeException(
            nameof(step), step, $"NoiseSchedule: expected a step from 0 to {Steps}.");

    /// <summary>What data look like at a step: sqrt(signal) data + sqrt(1 - signal) noise.</summary>
    /// <param name="data">An example, or examples of one step.</param>
    /// <param name="noise">As many standard normal numbers.</param>
    /// <param name="step">From 0 to <see cref="Steps"/>.</param>
    /// <param name="destination">Receives as many numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such step.</exception>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Diffuse(ReadOnlySpan<float> data, ReadOnlySpan<float> noise, int step, Span<float> destination) =>
        Combine(data, noise, destination, Math.Sqrt(Signal(step)), Math.Sqrt(1 - Signal(step)));

    /// <summary>What a network is to predict at a step: sqrt(signal) noise - sqrt(1 - signal) data.</summary>
    /// <param name="data">An example, or examples of one step.</param>
    /// <param name="noise">The noise that <see cref="Diffuse"/> was given.</param>
    /// <param name="step">From 0 to <see cref="Steps"/>.</param>
    /// <param name="destination">Receives as many numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such step.</exception>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Velocity(ReadOnlySpan<float> data, ReadOnlySpan<float> noise, int step, Span<float> destination) =>
        Combine(data, noise, destination, -Math.Sqrt(1 - Signal(step)), Math.Sqrt(Signal(step)));

    /// <summary>Steps to sample by, evenly spaced: the last one first, 0 at the end.</summary>
    /// <param name="count">How many times <see cref="Denoise"/> is to be called, from 1 to <see cref="Steps"/>.</param>
    /// <returns>count + 1 steps.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    public int[] Respace(int count)
    {
        if (count < 1 || count > Steps)
        {
            throw new ArgumentOutOfRangeException(
                nameof(count), count, $"NoiseSchedule: expected 1 to {Steps} steps to sample by.");
        }

        return [.. Enumerable.Range(0, count + 1).Select(i => (int)((long)Steps * (count - i) / count))];
    }

    /// <summary>
    /// One step of sampling. Without <paramref name="noise"/> it is that of DDIM, a function of x alone; with it the ancestral
    /// step of DDPM, whose variance is that of the forward process given the data.
    /// </summary>
    /// <param name="x">Samples at step <paramref name="from"/>; become those at step <paramref name="to"/>.</param>
    /// <param name="velocity">What the network predicts for them.</param>
    /// <param name="from">Above <paramref name="to"/>.</param>
    /// <param name="to">From 0 on.</param>
    /// <param name="noise">As many standard normal numbers, or empty (default).</param>
    /// <param name="limit">The largest magnitude of data, to which predicted ones are clipped; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no such steps.</exception>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Denoise(
        Span<float> x, ReadOnlySpan<float> velocity, int from, int to, ReadOnlySpan<float> noise = default,
        float limit = float.PositiveInfinity)
    {
        (double now, double next) = (Signal(from), Signal(to));
        if (from <= to)
        {
            throw new ArgumentOutOfRangeException(
                nameof(to), to, $"NoiseSchedule: expected to denoise to a step before {from}, got {to}.");
        }

        RequireLength(velocity.Length, x.Length, nameof(velocity));
        if (!noise.IsEmpty)
        {
            RequireLength(noise.Length, x.Length, nameof(noise));
        }

        double variance = noise.IsEmpty ? 0 : (1 - next) / (1 - now) * (1 - (now / next));
        (double signal, double rest) = (Math.Sqrt(now), Math.Sqrt(1 - now));
        (double keep, double turn, double fresh) =
            (Math.Sqrt(next), Math.Sqrt(Math.Max(0, 1 - next - variance)), Math.Sqrt(variance));
        for (int i = 0; i < x.Length; i++)
        {
            double data = Math.Clamp((signal * x[i]) - (rest * velocity[i]), -limit, limit);
            double noisy = (x[i] - (signal * data)) / rest;
            x[i] = (float)((keep * data) + (turn * noisy) + (noise.IsEmpty ? 0 : fresh * noise[i]));
        }
    }

    private static NoiseSchedule Of(int steps, Func<int, double> variance)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        var signal = new double[steps + 1];
        signal[0] = 1;
        for (int step = 1; step <= steps; step++)
        {
            signal[step] = signal[step - 1] * (1 - variance(step));
        }

        return new NoiseSchedule(signal);
    }

    private static void Combine(
        ReadOnlySpan<float> data, ReadOnlySpan<float> noise, Span<float> destination, double ofData, double ofNoise)
    {
        RequireLength(noise.Length, data.Length, nameof(noise));
        RequireLength(destination.Length, data.Length, nameof(destination));
        (float a, float b) = ((float)ofData, (float)ofNoise);
        for (int i = 0; i < data.Length; i++)
        {
            destination[i] = (a * data[i]) + (b * noise[i]);
        }
    }

    private static void RequireLength(int length, int expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"NoiseSchedule: expected {expected} numbers, got {length}.", name);
        }
    }
}
