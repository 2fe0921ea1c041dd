namespace FastNN.Hosting;

/// <summary>
/// How long batches take, learned from those that were computed: a straight line over their rows, fitted by least squares in
/// which each batch counts for less the older it is, and how far batches are off it. Times are in the clock's ticks. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// A line, since a batch costs a part that does not depend on its rows (weights that are read once) and one that grows with
/// them. While all batches have the same size, the slope learned before stays; with none, rows beyond are taken to cost as much
/// as those measured, and fewer rows no less: estimates that are too high, which the first batch of another size mends.
/// </remarks>
internal sealed class BatchTimes
{
    /// <summary>What a batch still counts for when the next one has been measured: the last dozen decide.</summary>
    private const double Memory = 0.92;

    /// <summary>Below this spread of the sizes, relative to their mean, the slope is noise.</summary>
    private const double LeastSpread = 1e-3;

    /// <summary>
    /// A batch that takes longer than this multiple of its estimate counts as if it took just that: a pause of the machine is
    /// not the model's, and if the model did become slower, the next batches say so too.
    /// </summary>
    private const double MostOff = 4;

    /// <summary>The weight from which on the estimate is trusted to judge that.</summary>
    private const double Trusted = 4;

    /// <summary>By what the fastest of late batches is forgotten with each that is slower: after some fifty.</summary>
    private const double Forgotten = 1.02;

    /// <summary>The clock may be coarse: what took no time by it is no reason to take batches for short forever.</summary>
    private const double LeastRatio = 0.01;

    private double _weight;
    private double _meanRows;
    private double _meanTime;
    private double _rowsSquared;
    private double _rowsTime;
    private double _slope = double.NaN;
    private double _fastest = 1;

    /// <summary>Whether anything was measured.</summary>
    public bool IsKnown => _weight > 0;

    /// <summary>How far batches are off the estimate on average.</summary>
    public double Deviation { get; private set; }

    /// <summary>When the last batch was measured.</summary>
    public long LastMeasured { get; private set; }

    /// <summary>Learns from one batch.</summary>
    public void Add(int rows, double ticks, long now)
    {
        ticks = _weight > Trusted ? Math.Min(ticks, MostOff * Estimate(rows)) : ticks;
        double off = IsKnown ? Off(rows, ticks) : ticks / 8;
        _weight = (_weight * Memory) + 1;
        double share = 1 / _weight;
        double deltaRows = rows - _meanRows, deltaTime = ticks - _meanTime;
        _meanRows += share * deltaRows;
        _meanTime += share * deltaTime;
        _rowsSquared = ((1 - share) * _rowsSquared) + (share * deltaRows * (rows - _meanRows));
        _rowsTime = ((1 - share) * _rowsTime) + (share * deltaRows * (ticks - _meanTime));
        if (_rowsSquared > LeastSpread * _meanRows * _meanRows)
        {
            _slope = _rowsTime / _rowsSquared;
        }

        double estimate = Estimate(rows);
        _fastest = Math.Min(Math.Max(_fastest, LeastRatio) * Forgotten, estimate > 0 ? Math.Min(1, ticks / estimate) : 1);
        Deviation += share * (off - Deviation);
        LastMeasured = now;
    }

    /// <summary>
    /// How long a batch of so many rows takes at least. Without a slope nothing is known but a range: between batches that all
    /// cost the same and rows that all cost the same. Its high end is the estimate.
    /// </summary>
    public double Least(double rows) => !double.IsNaN(_slope) || !IsKnown
        ? Estimate(rows)
        : _meanTime * Math.Min(1, rows / _meanRows);

    /// <summary>
    /// How long a batch of so many rows takes where nothing interrupts it: other threads that take the processor meanwhile make
    /// the others slower, and not the fastest of them.
    /// </summary>
    public double Undisturbed(double rows) => Estimate(rows) * _fastest;

    /// <summary>
    /// How far a time is off what was to be expected; within the range it tells of the slope and not of scatter.
    /// </summary>
    private double Off(int rows, double ticks) => Math.Max(0, Math.Max(Least(rows) - ticks, ticks - Estimate(rows)));

    /// <summary>How long a batch of so many rows takes; 0 where nothing is known.</summary>
    public double Estimate(double rows)
    {
        if (!IsKnown)
        {
            return 0;
        }

        // A batch costs no less than a smaller one, and a row in it no more than one alone.
        double highest = _meanTime / _meanRows;
        double slope = double.IsNaN(_slope) ? (rows > _meanRows ? highest : 0) : Math.Clamp(_slope, 0, highest);
        return Math.Max(0, _meanTime + (slope * (rows - _meanRows)));
    }
}
