namespace FastNN.Hosting;

/// <summary>The values of one instrument under one set of attributes. Thread-safe, without locks.</summary>
internal sealed class MetricSeries
{
    private readonly double[]? _bounds;
    private readonly long[]? _buckets;
    private long _bits;

    /// <param name="tags">The attributes; kept, not copied.</param>
    /// <param name="bounds">Upper bounds of a histogram's buckets; null for a number.</param>
    public MetricSeries(KeyValuePair<string, object?>[] tags, double[]? bounds)
    {
        Tags = tags;
        _bounds = bounds;
        _buckets = bounds is null ? null : new long[bounds.Length + 1];
    }

    public IReadOnlyList<KeyValuePair<string, object?>> Tags { get; }

    /// <summary>The number, or the sum of a histogram's values.</summary>
    public double Value => BitConverter.Int64BitsToDouble(Interlocked.Read(ref _bits));

    /// <summary>How many values each bucket of a histogram has, the last without an upper bound; empty for a number.</summary>
    public ReadOnlySpan<long> Buckets => _buckets;

    /// <summary>The collection in which the series was seen last.</summary>
    internal long Collection { get; set; }

    public void Set(double value) => Interlocked.Exchange(ref _bits, BitConverter.DoubleToInt64Bits(value));

    public void Add(double value)
    {
        if (_buckets is not null)
        {
            int place = Array.BinarySearch(_bounds!, value);
            Interlocked.Increment(ref _buckets[place < 0 ? ~place : place]);
        }

        long old;
        do
        {
            old = Interlocked.Read(ref _bits);
        }
        while (Interlocked.CompareExchange(
            ref _bits, BitConverter.DoubleToInt64Bits(BitConverter.Int64BitsToDouble(old) + value), old) != old);
    }

    /// <summary>Whether these are the attributes, in this order.</summary>
    public bool Has(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length != Tags.Count)
        {
            return false;
        }

        for (int i = 0; i < tags.Length; i++)
        {
            if (tags[i].Key != Tags[i].Key || !Equals(tags[i].Value, Tags[i].Value))
            {
                return false;
            }
        }

        return true;
    }
}
