namespace FastNN.Search;

/// <summary>The distribution of an evolution strategy: a mean, a step size and a covariance matrix, in the unit cube.</summary>
internal sealed class CmaEs
{
    private readonly int _n;
    private readonly int _population;
    private readonly double[] _weights;
    private readonly double _effective;
    private readonly double _sigmaRate;
    private readonly double _damping;
    private readonly double _pathRate;
    private readonly double _rankOne;
    private readonly double _rankMu;
    private readonly double _normalLength;
    private readonly double[] _mean;
    private readonly double[] _sigmaPath;
    private readonly double[] _path;
    private readonly double[,] _covariance;
    private double[] _deviations;
    private double[,] _axes;
    private double _sigma;
    private int _generation;

    public CmaEs(int n, double sigma, int population)
    {
        (_n, _sigma, _population) = (n, sigma, population);
        int parents = population / 2;
        double[] raw = [.. Enumerable.Range(1, parents).Select(i => Math.Log((population + 1) / 2.0) - Math.Log(i))];
        _weights = Array.ConvertAll(raw, weight => weight / raw.Sum());
        _effective = 1 / _weights.Sum(weight => weight * weight);
        _sigmaRate = (_effective + 2) / (n + _effective + 5);
        _damping = 1 + (2 * Math.Max(0, Math.Sqrt((_effective - 1) / (n + 1)) - 1)) + _sigmaRate;
        _pathRate = (4 + (_effective / n)) / (n + 4 + (2 * _effective / n));
        _rankOne = 2 / (((n + 1.3) * (n + 1.3)) + _effective);
        _rankMu = Math.Min(
            1 - _rankOne, 2 * (_effective - 2 + (1 / _effective)) / (((n + 2) * (n + 2)) + _effective));
        _normalLength = Math.Sqrt(n) * (1 - (1.0 / (4 * n)) + (1.0 / (21 * n * n)));
        _mean = [.. Enumerable.Repeat(0.5, n)];
        (_sigmaPath, _path, _covariance) = (new double[n], new double[n], new double[n, n]);
        _deviations = [.. Enumerable.Repeat(1.0, n)];
        _axes = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            (_covariance[i, i], _axes[i, i]) = (1, 1);
        }
    }

    public IReadOnlyList<double> Mean => _mean;

    public double Sigma => _sigma;

    /// <summary>Draws a place; one outside the cube is drawn again, and put on the border if that keeps failing.</summary>
    public double[] Draw(Random random)
    {
        var place = new double[_n];
        for (int attempt = 0; attempt < 100; attempt++)
        {
            double[] z = [.. Enumerable.Range(0, _n).Select(i => _deviations[i] * Normal(random))];
            for (int i = 0; i < _n; i++)
            {
                place[i] = _mean[i] + (_sigma * Enumerable.Range(0, _n).Sum(k => _axes[i, k] * z[k]));
            }

            if (Array.TrueForAll(place, value => value is >= 0 and <= 1))
            {
                return place;
            }
        }

        return Array.ConvertAll(place, value => Math.Clamp(value, 0, 1));
    }

    /// <summary>Moves and shapes the distribution by a generation.</summary>
    /// <param name="ranked">Its places from the best to the worst.</param>
    public void Update(double[][] ranked)
    {
        _generation++;
        double[] before = [.. _mean];
        double[][] steps =
        [
            .. ranked.Take(_weights.Length).Select(place => place.Zip(before, (a, b) => (a - b) / _sigma).ToArray()),
        ];
        var move = new double[_n];
        for (int k = 0; k < steps.Length; k++)
        {
            for (int i = 0; i < _n; i++)
            {
                move[i] += _weights[k] * steps[k][i];
            }
        }

        for (int i = 0; i < _n; i++)
        {
            _mean[i] = Math.Clamp(before[i] + (_sigma * move[i]), 0, 1);
        }

        double[] whitened = Whiten(move);
        double keep = Math.Sqrt(_sigmaRate * (2 - _sigmaRate) * _effective);
        for (int i = 0; i < _n; i++)
        {
            _sigmaPath[i] = ((1 - _sigmaRate) * _sigmaPath[i]) + (keep * whitened[i]);
        }

        double length = Math.Sqrt(_sigmaPath.Sum(value => value * value));
        bool stalls = length / Math.Sqrt(1 - Math.Pow(1 - _sigmaRate, 2 * _generation))
            >= (1.4 + (2.0 / (_n + 1))) * _normalLength;
        double push = stalls ? 0 : Math.Sqrt(_pathRate * (2 - _pathRate) * _effective);
        for (int i = 0; i < _n; i++)
        {
            _path[i] = ((1 - _pathRate) * _path[i]) + (push * move[i]);
        }

        double lost = stalls ? _rankOne * _pathRate * (2 - _pathRate) : 0;
        for (int i = 0; i < _n; i++)
        {
            for (int j = 0; j < _n; j++)
            {
                double mu = 0;
                for (int k = 0; k < steps.Length; k++)
                {
                    mu += _weights[k] * steps[k][i] * steps[k][j];
                }

                _covariance[i, j] = ((1 - _rankOne - _rankMu + lost) * _covariance[i, j]) + (_rankOne * _path[i] * _path[j])
                    + (_rankMu * mu);
            }
        }

        // Beyond the width of the cube a step size says nothing.
        _sigma = Math.Min(_sigma * Math.Exp(_sigmaRate / _damping * ((length / _normalLength) - 1)), 1);
        (double[] values, _axes) = SymmetricEigen.Decompose(_covariance);
        _deviations = Array.ConvertAll(values, value => Math.Sqrt(Math.Max(value, 1e-20)));
    }

    /// <summary>The covariance matrix to the power of -1/2 times a vector.</summary>
    private double[] Whiten(double[] vector)
    {
        var result = new double[_n];
        for (int k = 0; k < _n; k++)
        {
            double along = Enumerable.Range(0, _n).Sum(i => _axes[i, k] * vector[i]) / _deviations[k];
            for (int i = 0; i < _n; i++)
            {
                result[i] += _axes[i, k] * along;
            }
        }

        return result;
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
