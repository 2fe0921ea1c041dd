using System.Globalization;

namespace FastNN.Data;

/// <summary>
/// Changes the sample rate of sound with a sinc filter under a window of Hann (Smith and Gossett, "A flexible sampling-rate
/// conversion method", 1984), which cuts at half the lower of both rates.
/// </summary>
public static class Resampler
{
    // Zeros of the sinc on each side, at the lower rate; the band from 0.9 to 1.1 of the cut is the filter's slope.
    private const int Zeros = 16;

    /// <summary>Makes sound of another rate.</summary>
    /// <param name="samples">The sound, mono.</param>
    /// <param name="from">Its samples per second.</param>
    /// <param name="to">The samples per second of the result.</param>
    /// <returns>The sound, rounded up to whole samples; alike where both rates are.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A rate is not positive.</exception>
    /// <exception cref="ArgumentException">The result would be too long for an array.</exception>
    public static float[] Resample(ReadOnlySpan<float> samples, int from, int to)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(from);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(to);
        if (from == to)
        {
            return samples.ToArray();
        }

        long length = (long)Math.Ceiling((decimal)samples.Length * to / from);
        if (length > Array.MaxLength)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"Resampler: expected a result of at most {Array.MaxLength} samples, got {length}."));
        }

        int divisor = (int)System.Numerics.BigInteger.GreatestCommonDivisor(from, to);
        (long step, long phases) = (from / divisor, to / divisor);
        double cut = Math.Min(1.0, (double)to / from), reach = Zeros / cut;
        var filters = new Dictionary<long, float[]>();
        var result = new float[length];
        for (int i = 0; i < result.Length; i++)
        {
            // Where the result's sample lies among those given: whole ones, and a phase of which there are few.
            (long whole, long phase) = Math.DivRem(i * step, phases);
            if (!filters.TryGetValue(phase, out float[]? filter))
            {
                filter = FilterOf((double)phase / phases, cut, reach);
                filters.Add(phase, filter);
            }

            long first = whole - (filter.Length / 2) + 1;
            int skip = (int)Math.Max(0, -first), count = (int)Math.Min(filter.Length, samples.Length - first) - skip;
            result[i] = count <= 0 ? 0 : System.Numerics.Tensors.TensorPrimitives.Dot(
                samples.Slice((int)(first + skip), count), filter.AsSpan(skip, count));
        }

        return result;
    }

    /// <summary>The weights of the samples around a place that lies a phase, below 1, behind one of them.</summary>
    private static float[] FilterOf(double phase, double cut, double reach)
    {
        int half = (int)Math.Ceiling(reach);
        var filter = new float[2 * half];
        for (int i = 0; i < filter.Length; i++)
        {
            double distance = i - half + 1 - phase, x = Math.PI * cut * distance;
            double window = Math.Abs(distance) < reach ? 0.5 + (0.5 * Math.Cos(Math.PI * distance / reach)) : 0;
            filter[i] = (float)(cut * window * (x == 0 ? 1 : Math.Sin(x) / x));
        }

        return filter;
    }
}
