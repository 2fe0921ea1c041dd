namespace FastNN.Formats;

/// <summary>
/// The buckets of TensorFlow's histograms: their limits grow by a tenth from 1e-12 to 1e20, and mirrored for negative numbers. A
/// bucket has the numbers from the limit before it up to and without its own. Numbers that are not finite are in none.
/// </summary>
internal sealed class HistogramBuckets
{
    private const double Least = 1e-12, Most = 1e20, Growth = 1.1;

    // Of a positive float's bits, what tells its exponent and the first five bits of its mantissa: such a cell is at most 1/32 of
    // its numbers wide, a bucket a tenth, so that at most one limit lies in a cell and one comparison finds the bucket.
    private const int CellShift = 18;

    private static readonly double[] Limits = MakeLimits();
    private static readonly int FirstPositive = Array.BinarySearch(Limits, 0.0) + 1;
    private static readonly short[] Cells = MakeCells();

    private readonly double[] _counts = new double[Limits.Length];
    private readonly List<double> _limits = [];
    private readonly List<double> _kept = [];

    public double Min { get; private set; }

    public double Max { get; private set; }

    public double Count { get; private set; }

    public double Sum { get; private set; }

    public double SumOfSquares { get; private set; }

    /// <summary>The upper limits of the buckets that hold something, and of those just below them.</summary>
    public List<double> UpperLimits => _limits;

    /// <summary>How many numbers are in each.</summary>
    public List<double> Counts => _kept;

    /// <summary>Counts anew.</summary>
    public void Take(ReadOnlySpan<float> values)
    {
        Array.Clear(_counts);
        (double min, double max, double sum, double squares, long count) = (double.MaxValue, double.MinValue, 0, 0, 0);
        foreach (float value in values)
        {
            if (float.IsFinite(value))
            {
                _counts[BucketOf(value)]++;
                min = Math.Min(min, value);
                max = Math.Max(max, value);
                sum += value;
                squares += (double)value * value;
                count++;
            }
        }

        (Min, Max, Sum, SumOfSquares, Count) = count > 0 ? (min, max, sum, squares, count) : default;
        _limits.Clear();
        _kept.Clear();
        for (int i = 0; i < _counts.Length; i++)
        {
            // An empty bucket says where the next one begins.
            if (_counts[i] > 0 || (i + 1 < _counts.Length && _counts[i + 1] > 0))
            {
                _limits.Add(Limits[i]);
                _kept.Add(_counts[i]);
            }
        }
    }

    /// <summary>The first bucket whose limit is above a finite number.</summary>
    private static int BucketOf(float value)
    {
        if (!(value < 0))
        {
            return PositiveBucketOf(value);
        }

        // Mirrored, a bucket would have its upper limit and not its lower one.
        int mirrored = (2 * FirstPositive) - 1 - PositiveBucketOf(-value);
        return value < Limits[mirrored] ? mirrored : mirrored + 1;
    }

    private static int PositiveBucketOf(float value)
    {
        int bucket = Cells[(BitConverter.SingleToInt32Bits(value) & int.MaxValue) >> CellShift];
        return value < Limits[bucket] ? bucket : bucket + 1;
    }

    private static double[] MakeLimits()
    {
        var positive = new List<double>();
        for (double limit = Least; limit < Most; limit *= Growth)
        {
            positive.Add(limit);
        }

        positive.Add(double.MaxValue);
        return [.. positive.AsEnumerable().Reverse().Select(limit => -limit), 0, .. positive];
    }

    private static short[] MakeCells()
    {
        var cells = new short[1 << (31 - CellShift)];
        int bucket = FirstPositive;
        for (int cell = 0; cell < cells.Length; cell++)
        {
            double begin = BitConverter.Int32BitsToSingle(cell << CellShift);
            while (bucket < Limits.Length - 1 && Limits[bucket] <= begin)
            {
                bucket++;
            }

            cells[cell] = (short)bucket;
        }

        return cells;
    }
}
