using FastNN.Optimizers;

namespace FastNN;

/// <summary>What came of a minimization.</summary>
/// <param name="Loss">The loss at the end.</param>
/// <param name="Iterations">Directions that were followed.</param>
/// <param name="Evaluations">How often the loss was computed.</param>
/// <param name="HasConverged">Whether gradient or changes fell below what was asked for.</param>
public sealed record LbfgsResult(double Loss, int Iterations, int Evaluations, bool HasConverged);

/// <summary>
/// L-BFGS (Liu and Nocedal, 1989) with a line search for the strong Wolfe conditions, with PyTorch's options and rules: for small
/// problems whose loss is the same function at every call. It works on the host in double; the closure computes loss and
/// gradient, on a device if it likes.
/// </summary>
/// <param name="learningRate">Of the first direction, and where there is no line search of all; default 1.</param>
/// <param name="maxIterations">Directions at most; default 20.</param>
/// <param name="maxEvaluations">Evaluations at most; default null: 5 for each 4 iterations.</param>
/// <param name="gradientTolerance">It ends where no element of the gradient is larger; default 1e-7.</param>
/// <param name="changeTolerance">Or where neither loss nor parameters change by more; default 1e-9.</param>
/// <param name="history">Pairs of changes that the curvature is known from; default 100.</param>
/// <param name="lineSearch">Whether a step's length is searched for; default true.</param>
public sealed class Lbfgs(
    double learningRate = 1, int maxIterations = 20, int? maxEvaluations = null, double gradientTolerance = 1e-7,
    double changeTolerance = 1e-9, int history = 100, bool lineSearch = true)
{
    private const double SmallestCurvature = 1e-10;

    private readonly double _rate = learningRate is > 0 and < double.PositiveInfinity
        ? learningRate
        : throw Out(nameof(learningRate), $"a finite learning rate above 0, got {learningRate}");

    private readonly int _maxIterations = maxIterations >= 1
        ? maxIterations
        : throw Out(nameof(maxIterations), $"at least 1 iteration, got {maxIterations}");

    private readonly int _maxEvaluations = maxEvaluations is null or >= 1
        ? maxEvaluations ?? (int)Math.Min(int.MaxValue, Math.Max(1, maxIterations * 5L / 4))
        : throw Out(nameof(maxEvaluations), $"at least 1 evaluation, got {maxEvaluations}");

    private readonly double _gradientTolerance = gradientTolerance >= 0
        ? gradientTolerance
        : throw Out(nameof(gradientTolerance), $"a tolerance of at least 0, got {gradientTolerance}");

    private readonly double _changeTolerance = changeTolerance >= 0
        ? changeTolerance
        : throw Out(nameof(changeTolerance), $"a tolerance of at least 0, got {changeTolerance}");

    private readonly int _history = history >= 1
        ? history
        : throw Out(nameof(history), $"a history of at least 1, got {history}");

    /// <summary>Computes loss and gradient.</summary>
    /// <param name="parameters">Where.</param>
    /// <param name="gradient">Receives the gradient, as long as the parameters.</param>
    /// <returns>The loss.</returns>
    public delegate double Evaluation(ReadOnlySpan<double> parameters, Span<double> gradient);

    /// <summary>Minimizes a function.</summary>
    /// <param name="parameters">Where it begins, and then the best that was found.</param>
    /// <param name="evaluate">Computes loss and gradient.</param>
    /// <returns>What came of it.</returns>
    /// <exception cref="NonFiniteLossException">The first loss or gradient is not finite.</exception>
    public LbfgsResult Minimize(Span<double> parameters, Evaluation evaluate)
    {
        ArgumentNullException.ThrowIfNull(evaluate);
        int count = parameters.Length, evaluations = 1, iterations = 0;
        double[] x = parameters.ToArray(), g = new double[count], direction = new double[count];
        double loss = evaluate(x, g), length = 0, curvature = 1;
        if (!double.IsFinite(loss) || Array.Exists(g, value => !double.IsFinite(value)))
        {
            throw new NonFiniteLossException($"Lbfgs: expected a finite loss and gradient to begin with, got the loss {loss}.");
        }

        bool converged = Largest(g) <= _gradientTolerance;
        var pairs = new List<(double[] Step, double[] Change, double Inverse)>();
        double[] before = [];
        while (!converged && iterations < _maxIterations && evaluations < _maxEvaluations)
        {
            iterations++;
            if (iterations > 1)
            {
                double[] step = Scaled(direction, length), change = [.. g.Zip(before, (now, then) => now - then)];
                double product = Dot(change, step);
                if (product > SmallestCurvature)
                {
                    if (pairs.Count == _history)
                    {
                        pairs.RemoveAt(0);
                    }

                    pairs.Add((step, change, 1 / product));
                    curvature = product / Dot(change, change);
                }
            }

            direction = Direction(g, pairs, curvature);
            before = [.. g];
            double slope = Dot(g, direction), last = loss;
            if (slope > -_changeTolerance)
            {
                converged = true;
                break;
            }

            length = iterations == 1 ? Math.Min(1, 1 / g.Sum(Math.Abs)) * _rate : _rate;
            if (lineSearch)
            {
                var search = new StrongWolfe(x, direction, evaluate, _maxEvaluations - evaluations);
                (loss, g, length) = search.Run(length, loss, g, slope);
                evaluations += search.Evaluations;
                AddTo(x, direction, length);
            }
            else
            {
                AddTo(x, direction, length);
                loss = evaluate(x, g);
                evaluations++;
            }

            if (!double.IsFinite(loss))
            {
                // Back to the last place that was good.
                AddTo(x, direction, -length);
                loss = last;
                break;
            }

            converged = Largest(g) <= _gradientTolerance || Largest(direction) * length <= _changeTolerance
                || Math.Abs(loss - last) < _changeTolerance;
        }

        x.CopyTo(parameters);
        return new LbfgsResult(loss, iterations, evaluations, converged);
    }

    private static ArgumentOutOfRangeException Out(string name, string what) => new(name, $"Lbfgs: expected {what}.");

    /// <summary>The inverse Hessian times -g, by two loops over the pairs.</summary>
    private static double[] Direction(
        double[] g, List<(double[] Step, double[] Change, double Inverse)> pairs, double curvature)
    {
        double[] q = Scaled(g, -1), shares = new double[pairs.Count];
        for (int i = pairs.Count - 1; i >= 0; i--)
        {
            shares[i] = Dot(pairs[i].Step, q) * pairs[i].Inverse;
            AddTo(q, pairs[i].Change, -shares[i]);
        }

        q = Scaled(q, curvature);
        for (int i = 0; i < pairs.Count; i++)
        {
            AddTo(q, pairs[i].Step, shares[i] - (Dot(pairs[i].Change, q) * pairs[i].Inverse));
        }

        return q;
    }

    private static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    private static double Largest(double[] values) => values.Length == 0 ? 0 : values.Max(Math.Abs);

    private static double[] Scaled(double[] values, double factor) => Array.ConvertAll(values, value => value * factor);

    private static void AddTo(double[] x, double[] direction, double length)
    {
        for (int i = 0; i < x.Length; i++)
        {
            x[i] += direction[i] * length;
        }
    }
}
