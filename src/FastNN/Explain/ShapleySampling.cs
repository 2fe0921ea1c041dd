using FastNN.Data;
using FastNN.Tensors;

namespace FastNN.Explain;

/// <summary>
/// Shapley values of an output by sampling (Castro, Gomez and Tejada, "Polynomial calculation of the Shapley value based on
/// sampling", 2009; Strumbelj and Kononenko, "Explaining prediction models and individual predictions with feature
/// contributions", 2014). Along each drawn order the features of a background example are replaced by those of the example one
/// by one, and each is given the change of the output; so the values of an order add up to the difference of the two outputs,
/// whatever the model.
/// </summary>
public static class ShapleySampling
{
    private const int MostRows = 4096;

    /// <summary>Explains one output for one example.</summary>
    /// <param name="model">The model.</param>
    /// <param name="x">The example.</param>
    /// <param name="target">Which element of the output.</param>
    /// <param name="background">Examples that stand for not knowing a feature. They are taken in turn, so that a number of orders
    /// that is a multiple of theirs takes each equally often.</param>
    /// <param name="options">How many orders, and which groups of columns; null for the defaults.</param>
    /// <returns>A value for each column or group.</returns>
    /// <exception cref="ShapeException">The model takes other examples.</exception>
    /// <exception cref="ArgumentException">The target is out of range, or a group has a column that is not there, or that another
    /// has.</exception>
    public static ShapleyValues Explain(
        Predictor model, ReadOnlySpan<float> x, int target, Dataset background, ShapleyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(background);
        options ??= new ShapleyOptions();
        FeatureGroup.Require(model, background, nameof(ShapleySampling));
        if (x.Length != background.ExampleSize)
        {
            throw new ShapeException(
                $"ShapleySampling: expected one example of {background.ExampleSize} values, got {x.Length}.");
        }

        var outputs = (int)model.OutputShape.Count;
        if ((uint)target >= (uint)outputs)
        {
            throw new ArgumentOutOfRangeException(
                nameof(target), target, $"ShapleySampling: expected a target in 0..{outputs - 1}, the output has shape {model.OutputShape}.");
        }

        FeatureGroup[] groups = FeatureGroup.Of(options.Groups, background, nameof(ShapleySampling));
        int[][] orders = Orders(groups.Length, options);
        int perDraw = options.Antithetic ? 2 : 1;
        int[] rows = Rows(background.Count, options);
        int walk = groups.Length + 1, perBatch = Math.Max(MostRows / (walk * perDraw), 1) * perDraw;
        var sums = new Sums(groups.Length, perDraw);
        double whole = 0;
        for (int first = 0; first < orders.Length; first += perBatch)
        {
            int count = Math.Min(perBatch, orders.Length - first);
            var points = new float[count * walk * x.Length];
            for (int i = 0; i < count; i++)
            {
                Walk(points.AsSpan(i * walk * x.Length), x, background, rows[(first + i) / perDraw], orders[first + i], groups);
            }

            float[] given = model.Predict(points);
            for (int i = 0; i < count; i++)
            {
                sums.Add(orders[first + i], step => given[(((i * walk) + step) * outputs) + target]);
                whole = given[((((i + 1) * walk) - 1) * outputs) + target];
            }
        }

        return sums.ToValues(groups, covered: groups.Sum(group => group.Columns.Count) == x.Length ? whole : null);
    }

    /// <summary>The orders, each drawn one followed by its reverse where that is asked for.</summary>
    private static int[][] Orders(int count, ShapleyOptions options)
    {
        ulong stream = Philox.Stream(RandomUse.Explanation, (uint)ExplanationMethod.Shapley);
        var orders = new List<int[]>();
        for (int draw = 0; draw < options.Orders; draw++)
        {
            int[] order = [.. Enumerable.Range(0, count)];
            Philox.Shuffle(order, options.Seed, Philox.AtPlace(stream, (uint)draw));
            orders.Add(order);
            if (options.Antithetic)
            {
                orders.Add([.. order.AsEnumerable().Reverse()]);
            }
        }

        return [.. orders];
    }

    /// <summary>Which background example each draw begins from: all in turn, shuffled anew every time.</summary>
    private static int[] Rows(int count, ShapleyOptions options)
    {
        ulong stream = Philox.Stream(RandomUse.Explanation, (uint)ExplanationMethod.Background);
        var rows = new int[options.Orders];
        int[] round = [.. Enumerable.Range(0, count)];
        for (int i = 0; i < rows.Length; i++)
        {
            if (i % count == 0)
            {
                Philox.Shuffle(round, options.Seed, Philox.AtPlace(stream, (uint)(i / count)));
            }

            rows[i] = round[i % count];
        }

        return rows;
    }

    /// <summary>Writes a background example and, after each group of an order, what it has become.</summary>
    private static void Walk(
        Span<float> points, ReadOnlySpan<float> x, Dataset background, int row, int[] order, FeatureGroup[] groups)
    {
        background.CopyFeatures(row, points[..x.Length]);
        for (int step = 0; step < order.Length; step++)
        {
            Span<float> next = points.Slice((step + 1) * x.Length, x.Length);
            points.Slice(step * x.Length, x.Length).CopyTo(next);
            foreach (int column in groups[order[step]].Columns)
            {
                next[column] = x[column];
            }
        }
    }

    /// <summary>Adds up what the orders give each group; an order and its reverse are one draw.</summary>
    private sealed class Sums(int groups, int perDraw)
    {
        private readonly double[] _draw = new double[groups];
        private readonly double[] _sum = new double[groups];
        private readonly double[] _squares = new double[groups];
        private double _base;
        private double _end;
        private int _orders;

        public void Add(int[] order, Func<int, float> output)
        {
            for (int step = 0; step < order.Length; step++)
            {
                _draw[order[step]] += ((double)output(step + 1) - output(step)) / perDraw;
            }

            _base += output(0);
            _end += output(order.Length);
            if (++_orders % perDraw == 0)
            {
                for (int group = 0; group < groups; group++)
                {
                    _sum[group] += _draw[group];
                    _squares[group] += _draw[group] * _draw[group];
                }

                Array.Clear(_draw);
            }
        }

        /// <param name="all">The groups.</param>
        /// <param name="covered">The example's output, where the groups have all columns; else the mean of what is
        /// reached.</param>
        public ShapleyValues ToValues(FeatureGroup[] all, double? covered)
        {
            int draws = _orders / perDraw;
            var values = new ShapleyValue[groups];
            for (int group = 0; group < groups; group++)
            {
                double mean = _sum[group] / draws, variance = Math.Max((_squares[group] / draws) - (mean * mean), 0);
                values[group] = new ShapleyValue(
                    all[group].Name, all[group].Columns, mean, draws > 1 ? Math.Sqrt(variance / (draws - 1)) : double.NaN);
            }

            return new ShapleyValues(_base / _orders, covered ?? (_end / _orders), values);
        }
    }
}

/// <summary>How Shapley values are sampled.</summary>
public sealed record ShapleyOptions
{
    /// <summary>Orders that are drawn; default 100. The error falls with their square root.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive, or above 10 million.</exception>
    public int Orders
    {
        get;
        init => field = value <= 10_000_000
            ? Requirements.AtLeast(value, 1, nameof(Orders))
            : throw new ArgumentOutOfRangeException(nameof(Orders), value, "Orders: expected at most 10000000.");
    } = 100;

    /// <summary>Whether each order is walked in reverse, too, which takes twice the time and errs less for most models; default
    /// true.</summary>
    public bool Antithetic { get; init; } = true;

    /// <summary>Columns that are one feature; default null for each by itself. Columns in no group stay those of the background
    /// example.</summary>
    public IReadOnlyList<FeatureGroup>? Groups { get; init; }

    /// <summary>What orders and background examples are drawn from; default 0.</summary>
    public ulong Seed { get; init; }
}

/// <summary>What the features of an example give to an output.</summary>
public sealed class ShapleyValues
{
    internal ShapleyValues(double baseValue, double output, IReadOnlyList<ShapleyValue> features) =>
        (BaseValue, Output, Features) = (baseValue, output, features);

    /// <summary>The mean output of the background examples that were drawn.</summary>
    public double BaseValue { get; }

    /// <summary>The output for the example: the base value plus all values, but for rounding.</summary>
    public double Output { get; }

    /// <summary>The values in the order of the columns or groups.</summary>
    public IReadOnlyList<ShapleyValue> Features { get; }
}

/// <summary>What a feature gives to an output.</summary>
/// <param name="Name">The feature's name.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Value">Its estimated Shapley value.</param>
/// <param name="StandardError">The standard error of the estimate; NaN for a single order.</param>
public sealed record ShapleyValue(string Name, IReadOnlyList<int> Columns, double Value, double StandardError)
{
    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Name}: {Value:g4} +- {StandardError:g2}");
}
