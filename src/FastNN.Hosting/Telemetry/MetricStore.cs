using System.Diagnostics.Metrics;

namespace FastNN.Hosting;

/// <summary>What an instrument measures.</summary>
internal enum MetricKind
{
    /// <summary>It only grows.</summary>
    Counter,

    /// <summary>It goes up and down.</summary>
    Gauge,

    /// <summary>A distribution.</summary>
    Histogram,
}

/// <summary>
/// All series of one instrument. Thread-safe; a measurement under attributes that it has met allocates nothing.
/// </summary>
internal sealed class MetricStore
{
    /// <summary>As OpenTelemetry's default: attributes that somebody chooses freely must not fill the memory.</summary>
    internal const int MaxSeries = 2000;

    private static readonly double[] DefaultBounds = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];

    private readonly Lock _gate = new();
    private readonly bool _isAbsolute;
    private Dictionary<int, MetricSeries[]> _series = [];
    private int _count;
    private MetricSeries? _overflow;

    public MetricStore(Instrument instrument)
    {
        Instrument = instrument;
        Type type = instrument.GetType().GetGenericTypeDefinition();
        Kind = type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter
            : type == typeof(Histogram<>) ? MetricKind.Histogram
            : MetricKind.Gauge;
        _isAbsolute = instrument.IsObservable || type == typeof(Gauge<>);
        Bounds = Kind == MetricKind.Histogram ? BoundsOf(instrument) : null;
    }

    public Instrument Instrument { get; }

    public MetricKind Kind { get; }

    /// <summary>Upper bounds of a histogram's buckets; null for others.</summary>
    public double[]? Bounds { get; }

    /// <summary>The collection under way, which observed series are marked with.</summary>
    internal long Collection { get; set; }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        MetricSeries series = Find(tags);
        series.Collection = Collection;
        if (_isAbsolute)
        {
            series.Set(value);
        }
        else
        {
            series.Add(value);
        }
    }

    /// <summary>The series; of an instrument that is observed, those that the last collection met.</summary>
    public MetricSeries[] Read()
    {
        lock (_gate)
        {
            return
            [
                .. _series.Values.SelectMany(same => same).Append(_overflow).OfType<MetricSeries>()
                    .Where(one => !Instrument.IsObservable || one.Collection == Collection),
            ];
        }
    }

    private MetricSeries Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var hash = default(HashCode);
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            hash.Add(tag.Value);
        }

        int key = hash.ToHashCode();
        return Find(Volatile.Read(ref _series), key, tags) ?? Add(key, tags);
    }

    private static MetricSeries? Find(
        Dictionary<int, MetricSeries[]> all, int key, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (all.TryGetValue(key, out MetricSeries[]? same))
        {
            foreach (MetricSeries one in same)
            {
                if (one.Has(tags))
                {
                    return one;
                }
            }
        }

        return null;
    }

    /// <summary>Adds to a copy: those who read take no lock.</summary>
    private MetricSeries Add(int key, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_gate)
        {
            if (Find(_series, key, tags) is { } added)
            {
                return added;
            }

            if (_count == MaxSeries)
            {
                return _overflow ??= new MetricSeries([new("otel.metric.overflow", "true")], Bounds);
            }

            var series = new MetricSeries(tags.ToArray(), Bounds);
            var copy = new Dictionary<int, MetricSeries[]>(_series);
            copy[key] = [.. copy.GetValueOrDefault(key) ?? [], series];
            Volatile.Write(ref _series, copy);
            _count++;
            return series;
        }
    }

    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        { Unit: "s" } => [.. Buckets.Seconds.HistogramBucketBoundaries!],
        _ => DefaultBounds,
    };
}
