using System.Diagnostics.Metrics;

namespace FastNN.Hosting;

/// <summary>Bounds of the histograms' buckets, which exporters take unless they are told others.</summary>
internal static class Buckets
{
    /// <summary>
    /// From 10 µs, the time of a small network, to 10 s; about 2.2 times each, so that a quantile between two bounds is off by
    /// a few tens of percent at most.
    /// </summary>
    public static InstrumentAdvice<double> Seconds { get; } = new()
    {
        HistogramBucketBoundaries =
            [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    /// <summary>Of models that are loaded.</summary>
    public static InstrumentAdvice<double> LoadSeconds { get; } = new()
    {
        HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    };

    /// <summary>Powers of two.</summary>
    public static InstrumentAdvice<int> Rows { get; } = new()
    {
        HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    };
}
