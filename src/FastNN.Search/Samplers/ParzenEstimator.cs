namespace FastNN.Search;

/// <summary>
/// A density over the unit cube: a broad kernel for what was known before, and one kernel around every observation, each a
/// product over the parameters: a truncated normal distribution for numbers, its integral over the share of a value for finite
/// sets, and a vote for choices.
/// </summary>
internal sealed class ParzenEstimator
{
    private const double ChoicePrior = 1;

    private readonly SearchSpace _space;
    private readonly double[][] _centers;
    private readonly double[][] _widths;
    private readonly double[][] _norms;
    private readonly double[] _shares;

    /// <param name="space">The parameters.</param>
    /// <param name="observations">Places in the unit cube.</param>
    /// <param name="weights">How much each counts; the prior counts 1.</param>
    /// <param name="leastWidth">The least width of a kernel, as a share of the range; default 0 for the neighbors' distances
    /// alone.</param>
    public ParzenEstimator(
        SearchSpace space, IReadOnlyList<double[]> observations, ReadOnlySpan<double> weights, double leastWidth = 0)
    {
        _space = space;
        int dimensions = space.Parameters.Count;
        _centers = [.. observations, [.. Enumerable.Repeat(0.5, dimensions)]];
        _widths = [.. _centers.Select(_ => new double[dimensions])];
        _norms = [.. _centers.Select(_ => new double[dimensions])];
        for (int d = 0; d < dimensions; d++)
        {
            SetWidths(d, leastWidth);
            for (int i = 0; i < _centers.Length; i++)
            {
                _norms[i][d] = TruncatedNormal.LogNorm(_centers[i][d], _widths[i][d]);
            }
        }

        double sum = 1;
        foreach (double weight in weights)
        {
            sum += weight;
        }

        _shares = new double[_centers.Length];
        for (int i = 0; i < _shares.Length; i++)
        {
            _shares[i] = (i < observations.Count ? weights[i] : 1) / sum;
        }
    }

    /// <summary>Draws a place.</summary>
    public double[] Draw(Random random)
    {
        double left = random.NextDouble();
        int kernel = 0;
        while (kernel < _shares.Length - 1 && (left -= _shares[kernel]) >= 0)
        {
            kernel++;
        }

        var unit = new double[_space.Parameters.Count];
        for (int d = 0; d < unit.Length; d++)
        {
            SearchParameter parameter = _space.Parameters[d];
            unit[d] = parameter.IsUnordered
                ? DrawChoice(kernel, d, parameter.Count, random)
                : TruncatedNormal.Draw(_centers[kernel][d], _widths[kernel][d], random);
            if (parameter.Count > 0)
            {
                unit[d] = (Math.Min((int)(unit[d] * parameter.Count), parameter.Count - 1) + 0.5) / parameter.Count;
            }
        }

        return unit;
    }

    /// <summary>The logarithm of the density, up to a factor that depends on the space alone.</summary>
    public double LogDensity(ReadOnlySpan<double> unit)
    {
        Span<double> logs = _shares.Length <= 256 ? stackalloc double[_shares.Length] : new double[_shares.Length];
        double highest = double.NegativeInfinity;
        for (int kernel = 0; kernel < logs.Length; kernel++)
        {
            double log = Math.Log(_shares[kernel]);
            for (int d = 0; d < unit.Length; d++)
            {
                log += LogKernel(kernel, d, unit[d]);
            }

            logs[kernel] = log;
            highest = Math.Max(highest, log);
        }

        double sum = 0;
        foreach (double log in logs)
        {
            sum += Math.Exp(log - highest);
        }

        return highest + Math.Log(sum);
    }

    private double LogKernel(int kernel, int d, double at)
    {
        SearchParameter parameter = _space.Parameters[d];
        if (parameter.IsUnordered)
        {
            return Math.Log(ChoiceShare(kernel, d, (int)(at * parameter.Count), parameter.Count));
        }

        double center = _centers[kernel][d], width = _widths[kernel][d];
        if (parameter.Count > 0)
        {
            double half = 0.5 / parameter.Count;
            return Math.Log(Math.Max(TruncatedNormal.Mass(center, width, at - half, at + half), 1e-300));
        }

        double z = (at - center) / width;
        return _norms[kernel][d] - (0.5 * z * z);
    }

    private double DrawChoice(int kernel, int d, int count, Random random)
    {
        double left = random.NextDouble();
        int choice = 0;
        while (choice < count - 1 && (left -= ChoiceShare(kernel, d, choice, count)) >= 0)
        {
            choice++;
        }

        return (choice + 0.5) / count;
    }

    /// <summary>
    /// The observed choice gets a vote, and all together share the prior; the broad kernel has the prior alone.
    /// </summary>
    private double ChoiceShare(int kernel, int d, int choice, int count)
    {
        if (kernel == _centers.Length - 1)
        {
            return 1.0 / count;
        }

        // The more is known, the less the prior tells.
        double prior = ChoicePrior / _centers.Length;
        bool same = (int)(_centers[kernel][d] * count) == choice;
        return ((same ? 1 : 0) + (prior / count)) / (1 + prior);
    }

    /// <summary>
    /// A kernel is as wide as the farther of its neighbors is away, so that the density is smooth where observations are sparse,
    /// but never narrower than a share of the range that shrinks with their number. In many dimensions the observations of one
    /// tell less about the others, so kernels there stay wider.
    /// </summary>
    private void SetWidths(int d, double leastWidth)
    {
        int count = _centers.Length;
        int[] order = [.. Enumerable.Range(0, count).OrderBy(i => _centers[i][d])];
        double dimensions = _space.Parameters.Count;
        double least = Math.Max(leastWidth, dimensions / (dimensions + 2) / Math.Min(100, count + 1));
        for (int k = 0; k < count; k++)
        {
            double here = _centers[order[k]][d];
            double below = here - (k > 0 ? _centers[order[k - 1]][d] : 0);
            double above = (k < count - 1 ? _centers[order[k + 1]][d] : 1) - here;
            _widths[order[k]][d] = Math.Clamp(Math.Max(below, above), least, 1);
        }

        _widths[count - 1][d] = 1;
    }
}
