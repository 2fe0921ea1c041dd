namespace FastNN.Explain;

/// <summary>Statistics of the numbers of a tensor; those that are not finite are counted and otherwise left out.</summary>
public sealed record TensorStatistics
{
    internal TensorStatistics(ReadOnlySpan<float> values)
    {
        double sum = 0, squares = 0, largest = 0;
        long zeros = 0, finite = 0;
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
            {
                continue;
            }

            finite++;
            zeros += value == 0 ? 1 : 0;
            sum += value;
            squares += (double)value * value;
            largest = Math.Max(largest, Math.Abs(value));
        }

        (Count, NonFinite, Norm, Largest) = (values.Length, values.Length - finite, Math.Sqrt(squares), largest);
        if (finite == 0)
        {
            return;
        }

        (Mean, ZeroShare) = (sum / finite, (double)zeros / finite);
        double deviations = 0;
        foreach (float value in values)
        {
            deviations += float.IsFinite(value) ? (value - Mean) * (value - Mean) : 0;
        }

        StandardDeviation = Math.Sqrt(deviations / finite);
    }

    /// <summary>How many numbers there are.</summary>
    public long Count { get; }

    /// <summary>How many are NaN or infinite.</summary>
    public long NonFinite { get; }

    /// <summary>Their mean.</summary>
    public double Mean { get; }

    /// <summary>Their standard deviation.</summary>
    public double StandardDeviation { get; }

    /// <summary>The square root of the sum of their squares.</summary>
    public double Norm { get; }

    /// <summary>The largest magnitude.</summary>
    public double Largest { get; }

    /// <summary>The share of exact zeros, from 0 to 1.</summary>
    public double ZeroShare { get; }
}
