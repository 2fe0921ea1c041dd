using System.Numerics.Tensors;

namespace FastNN.Explain;

/// <summary>Options of <see cref="TSne.Embed"/>; the defaults are scikit-learn's.</summary>
public sealed record TSneOptions
{
    /// <summary>About how many neighbors each point has, above 1 and below a third of the number of points; default 30.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not above 1 and finite.</exception>
    public float Perplexity
    {
        get;
        init => field = value > 1 && float.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(Perplexity), value, $"{nameof(Perplexity)}: expected a finite number above 1.");
    } = 30;

    /// <summary>Steps of gradient descent, at least 250: in the first 250, attraction is exaggerated; default 1000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 250.</exception>
    public int Iterations { get; init => field = Requirements.AtLeast(value, TSne.EarlySteps, nameof(Iterations)); } = 1000;

    /// <summary>The learning rate; null (default) takes the number of points / 48, at least 50 (Belkina et al., 2019).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not a positive finite number.</exception>
    public float? LearningRate
    {
        get;
        init => field = value is { } rate ? Requirements.Positive(rate, nameof(LearningRate)) : null;
    }
}

/// <summary>
/// Points of many numbers as points of a plane, so that neighbors stay neighbors: t-distributed stochastic neighbor embedding
/// (van der Maaten and Hinton, 2008). All pairs are computed, so the time grows with the square of the number of points: 1,000
/// take a few seconds, and 10,000 are the most. It begins with the first two principal components and draws nothing, so the same
/// data gives the same plane on any number of threads.
/// </summary>
public static class TSne
{
    internal const int EarlySteps = 250;

    private const int MostPoints = 10_000;
    private const float Exaggeration = 12;

    /// <summary>Places examples in the plane.</summary>
    /// <param name="data">Examples, [N, width], finite, 4 to 10,000.</param>
    /// <param name="width">Numbers of an example.</param>
    /// <param name="options">Default: those of <see cref="TSneOptions"/>.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>[N, 2].</returns>
    /// <exception cref="ArgumentException">The data is not a whole number of rows, they are too few or too many, or a number is
    /// not finite; or the perplexity is not below a third of the number of examples.</exception>
    public static float[] Embed(
        ReadOnlySpan<float> data, int width, TSneOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new TSneOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        int points = data.Length / width;
        if (data.Length % width != 0 || points is < 4 or > MostPoints)
        {
            throw new ArgumentException(
                $"TSne: expected 4 to {MostPoints} examples of {width} numbers, got {data.Length} numbers.", nameof(data));
        }

        if (3 * options.Perplexity >= points)
        {
            throw new ArgumentException(
                $"TSne: expected a perplexity below a third of the {points} examples, got {options.Perplexity}; set a smaller one.",
                nameof(options));
        }

        (float[] x, float[] y) = FirstPlaces(data, width, points);
        float[][] attraction = Attraction(data.ToArray(), width, points, Math.Log(options.Perplexity), cancellationToken);
        Descend(x, y, attraction, options, cancellationToken);
        var result = new float[2 * points];
        for (int i = 0; i < points; i++)
        {
            (result[2 * i], result[(2 * i) + 1]) = (x[i], y[i]);
        }

        return result;
    }

    private static (float[] X, float[] Y) FirstPlaces(ReadOnlySpan<float> data, int width, int points)
    {
        var (x, y) = (new float[points], new float[points]);
        var components = PrincipalComponents.Fit(data, width, Math.Min(2, width));
        float[] places = components.Transform(data);
        // So close together that all points feel each other at first.
        double scale = components.Variances[0] > 0 ? 1e-4 / Math.Sqrt(components.Variances[0]) : 0;
        for (int i = 0; i < points; i++)
        {
            x[i] = (float)(places[i * components.Count] * scale);
            y[i] = components.Count > 1 ? (float)(places[(i * components.Count) + 1] * scale) : 0;
        }

        return (x, y);
    }

    /// <summary>How likely two points are neighbors: rows of a symmetric matrix whose sum is 1.</summary>
    private static float[][] Attraction(
        float[] data, int width, int points, double entropy, CancellationToken cancellationToken)
    {
        var rows = new float[points][];
        var parallel = new ParallelOptions { CancellationToken = cancellationToken };
        Parallel.For(0, points, parallel, i =>
        {
            var row = new float[points];
            ReadOnlySpan<float> point = data.AsSpan(i * width, width);
            for (int j = 0; j < points; j++)
            {
                float distance = TensorPrimitives.Distance(point, data.AsSpan(j * width, width));
                row[j] = distance * distance;
            }

            Neighbors(row, i, entropy);
            rows[i] = row;
        });
        // Each pair is one thread's, which writes both of its places.
        Parallel.For(0, points, parallel, i =>
        {
            rows[i][i] = 0;
            for (int j = 0; j < i; j++)
            {
                rows[i][j] = rows[j][i] = (rows[i][j] + rows[j][i]) / (2f * points);
            }
        });
        return rows;
    }

    /// <summary>
    /// Turns squared distances into a Gaussian's probabilities, whose width is found by bisection so that they have the entropy.
    /// </summary>
    private static void Neighbors(float[] row, int self, double entropy)
    {
        var weights = new double[row.Length];
        double nearest = double.PositiveInfinity;
        for (int j = 0; j < row.Length; j++)
        {
            nearest = j != self ? Math.Min(nearest, row[j]) : nearest;
        }

        double precision = 1, low = 0, high = double.PositiveInfinity, sum = 1;
        for (int step = 0; step < 100; step++)
        {
            sum = 0;
            double weighted = 0;
            for (int j = 0; j < row.Length; j++)
            {
                // Beyond the nearest, so that the sum is never 0.
                double distance = row[j] - nearest;
                weights[j] = j == self ? 0 : Math.Exp(-distance * precision);
                sum += weights[j];
                weighted += weights[j] * distance;
            }

            double excess = Math.Log(sum) + (precision * weighted / sum) - entropy;
            if (Math.Abs(excess) < 1e-5)
            {
                break;
            }

            (low, high) = excess > 0 ? (precision, high) : (low, precision);
            precision = double.IsInfinity(high) ? 2 * precision : (low + high) / 2;
        }

        for (int j = 0; j < row.Length; j++)
        {
            row[j] = (float)(weights[j] / sum);
        }
    }

    private static void Descend(
        float[] x, float[] y, float[][] attraction, TSneOptions options, CancellationToken cancellationToken)
    {
        int points = x.Length;
        float rate = options.LearningRate ?? Math.Max(points / Exaggeration / 4, 50);
        var forces = new Forces(points);
        var (moveX, moveY, gainX, gainY) = (new float[points], new float[points], new float[points], new float[points]);
        Array.Fill(gainX, 1);
        Array.Fill(gainY, 1);
        for (int step = 0; step < options.Iterations; step++)
        {
            bool isEarly = step < EarlySteps;
            forces.Compute(x, y, attraction, isEarly ? Exaggeration : 1, cancellationToken);
            float momentum = isEarly ? 0.5f : 0.8f;
            Move(x, moveX, gainX, forces.X, rate, momentum);
            Move(y, moveY, gainY, forces.Y, rate, momentum);
        }
    }

    /// <summary>A step with momentum, whose rate grows for each coordinate while the gradient keeps its sign (Jacobs,
    /// 1988).</summary>
    private static void Move(float[] places, float[] moves, float[] gains, float[] gradient, float rate, float momentum)
    {
        for (int i = 0; i < places.Length; i++)
        {
            gains[i] = Math.Max(0.01f, gradient[i] * moves[i] < 0 ? gains[i] + 0.2f : gains[i] * 0.8f);
            moves[i] = (momentum * moves[i]) - (rate * gains[i] * gradient[i]);
            places[i] += moves[i];
        }

        TensorPrimitives.Subtract(places, TensorPrimitives.Sum<float>(places) / places.Length, places);
    }

    /// <summary>The gradient of the divergence between the two neighborhoods.</summary>
    private sealed class Forces(int points)
    {
        private readonly double[] _sums = new double[points];
        private readonly float[] _repulsionX = new float[points];
        private readonly float[] _repulsionY = new float[points];

        public float[] X { get; } = new float[points];

        public float[] Y { get; } = new float[points];

        public void Compute(
            float[] x, float[] y, float[][] attraction, float exaggeration, CancellationToken cancellationToken)
        {
            var options = new ParallelOptions { CancellationToken = cancellationToken };
            Parallel.For<float[][]>(0, points, options, Scratch, Row, _ => { });
            double sum = Math.Max(_sums.Sum(), double.Epsilon);
            for (int i = 0; i < points; i++)
            {
                // Differences point away from the point, the gradient towards it.
                X[i] = -4 * (X[i] - (float)(_repulsionX[i] / sum));
                Y[i] = -4 * (Y[i] - (float)(_repulsionY[i] / sum));
            }

            float[][] Scratch() => [new float[points], new float[points], new float[points]];

            float[][] Row(int i, ParallelLoopState state, float[][] scratch)
            {
                Span<float> dx = scratch[0], dy = scratch[1], near = scratch[2];
                TensorPrimitives.Subtract(x, x[i], dx);
                TensorPrimitives.Subtract(y, y[i], dy);
                TensorPrimitives.Multiply<float>(dy, dy, near);
                TensorPrimitives.MultiplyAdd<float>(dx, dx, near, near);
                TensorPrimitives.Add(near, 1, near);
                TensorPrimitives.Reciprocal<float>(near, near);
                // A point does not count among its own neighbors.
                near[i] = 0;
                _sums[i] = TensorPrimitives.Sum<float>(near);
                TensorPrimitives.Multiply<float>(dx, near, dx);
                TensorPrimitives.Multiply<float>(dy, near, dy);
                X[i] = exaggeration * TensorPrimitives.Dot<float>(dx, attraction[i]);
                Y[i] = exaggeration * TensorPrimitives.Dot<float>(dy, attraction[i]);
                _repulsionX[i] = TensorPrimitives.Dot<float>(dx, near);
                _repulsionY[i] = TensorPrimitives.Dot<float>(dy, near);
                return scratch;
            }
        }
    }
}
