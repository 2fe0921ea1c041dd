using FastNN.Tensors;

namespace FastNN.Explain;

/// <summary>The search for one counterfactual; several run side by side as one batch.</summary>
internal sealed class CounterfactualSearch
{
    private const double FirstWeight = 1, Growth = 4, MeanDecay = 0.9, SquareDecay = 0.999;

    /// <summary>Rounds with the weight that reached the goal first, in which the way to it becomes shorter.</summary>
    private const int RoundsThen = 2;

    /// <summary>How often columns are exchanged for others at most, and how much further one goes each time.</summary>
    private const int Sweeps = 40;
    private const double Further = 1.25;

    /// <summary>How far beyond a point its line is followed.</summary>
    private static readonly double[] Extensions = [1, 1.5, 2, 4];

    private readonly ModelExplainer _explainer;
    private readonly float[] _x;
    private readonly CounterfactualGoal _goal;
    private readonly CounterfactualOptions _options;
    private readonly float[] _scales;
    private readonly float[] _lowest;
    private readonly float[] _highest;
    private readonly bool[] _isFixed;
    private readonly bool[] _isInteger;
    private readonly int _outputs;

    public CounterfactualSearch(ModelExplainer explainer, float[] x, CounterfactualGoal goal, CounterfactualOptions options)
    {
        (_explainer, _x, _goal, _options) = (explainer, x, goal, options);
        _outputs = (int)explainer.OutputShape.Count;
        _scales = Column(options.Scales, 1, nameof(options.Scales));
        _lowest = Column(options.Lowest, float.NegativeInfinity, nameof(options.Lowest));
        _highest = Column(options.Highest, float.PositiveInfinity, nameof(options.Highest));
        _isFixed = Flags(options.Fixed, nameof(options.Fixed));
        _isInteger = Flags(options.Integers, nameof(options.Integers));
        for (int i = 0; i < x.Length; i++)
        {
            if (!(_scales[i] > 0) || !float.IsFinite(_scales[i]))
            {
                throw new ArgumentException($"Counterfactuals: expected finite scales above 0, column {i} has {_scales[i]}.");
            }

            if (!_isFixed[i] && !(x[i] >= _lowest[i] && x[i] <= _highest[i]))
            {
                throw new ArgumentException(
                    $"Counterfactuals: expected column {i} of the example in {_lowest[i]}..{_highest[i]}, it is {x[i]}; widen the range or fix the column.");
            }
        }
    }

    /// <summary>The nearest example that reaches the goal; null where none was met.</summary>
    public float[]? Run(int rounds)
    {
        int size = _x.Length, searches = _options.Restarts;
        float[] points = Starts();
        double[] means = new double[points.Length], squares = new double[points.Length];
        float[]? best = null;
        double least = double.PositiveInfinity, weight = FirstWeight;
        int step = 0, then = 0;
        for (int round = 0; round < rounds && then <= RoundsThen; round++)
        {
            for (int i = 0; i < _options.Steps; i++)
            {
                float[] outputs = _explainer.Outputs(points), pulls = new float[searches * _outputs];
                var misses = new float[searches];
                for (int search = 0; search < searches; search++)
                {
                    ReadOnlySpan<float> output = outputs.AsSpan(search * _outputs, _outputs);
                    misses[search] = _goal.Miss(output, pulls.AsSpan(search * _outputs, _outputs));
                    float[] whole = Whole(points.AsSpan(search * size, size));
                    if (Distance(whole) < least && Reaches(whole, misses[search] == 0, points.AsSpan(search * size, size)))
                    {
                        (best, least) = (whole, Distance(whole));
                    }
                }

                Step(points, _explainer.WeightedGradients(points, pulls), misses, weight, means, squares, ++step);
            }

            if (best is null)
            {
                weight *= Growth;
            }
            else
            {
                then++;
            }
        }

        return best;
    }

    /// <summary>
    /// Takes columns back, the smallest changes first, where the others can reach the goal at no greater distance, and goes back
    /// towards the example as far as the goal stays reached.
    /// </summary>
    public Counterfactual Refine(float[] found, int bisections)
    {
        float[] nearest = Along(found, bisections) ?? found;
        foreach (int column in Changed(nearest).OrderBy(i => Change(nearest, i)).ToArray())
        {
            float[] without = [.. nearest];
            without[column] = _x[column];
            if (Along(without, bisections) is { } other && Distance(other) <= Distance(nearest))
            {
                nearest = other;
            }
        }

        nearest = Exchange(nearest, bisections);
        CounterfactualChange[] changes =
        [
            .. Changed(nearest).OrderByDescending(i => Change(nearest, i))
                .Select(i => new CounterfactualChange(i, _x[i], nearest[i])),
        ];
        return new Counterfactual(nearest, _explainer.Outputs(nearest), changes, Distance(nearest));
    }

    /// <summary>Lets columns change more where the others then need to change less by more than that.</summary>
    private float[] Exchange(float[] nearest, int bisections)
    {
        bool isShorter = true;
        for (int sweep = 0; sweep < Sweeps && isShorter; sweep++)
        {
            isShorter = false;
            foreach (int column in Changed(nearest).Where(column => !_isInteger[column]).ToArray())
            {
                float[] more = [.. nearest];
                more[column] = At(nearest, Further)[column];
                if (more[column] != nearest[column] && Along(more, bisections, held: column) is { } other
                    && Distance(other) < Distance(nearest) * (1 - 1e-6))
                {
                    (nearest, isShorter) = (other, true);
                }
            }
        }

        return nearest;
    }

    /// <summary>
    /// The first place on the line from the example through a point where the goal is reached; null for none near it.
    /// </summary>
    /// <param name="point">A point.</param>
    /// <param name="bisections">How finely.</param>
    /// <param name="held">A column that stays what it is at the point; -1 for none.</param>
    private float[]? Along(float[] point, int bisections, int held = -1)
    {
        foreach (double end in Extensions)
        {
            float[] reached = At(point, end, held);
            if (!Reaches(reached))
            {
                continue;
            }

            double near = 0, far = end;
            for (int i = 0; i < bisections; i++)
            {
                double between = (near + far) / 2;
                float[] tried = At(point, between, held);
                if (Reaches(tried))
                {
                    (far, reached) = (between, tried);
                }
                else
                {
                    near = between;
                }
            }

            return reached;
        }

        return null;
    }

    /// <summary>A place on the line from the example through a point; whole numbers stay those of the point.</summary>
    private float[] At(float[] point, double share, int held = -1) =>
    [
        .. point.Select((value, column) => _isInteger[column] || column == held || value == _x[column]
            ? value
            : Math.Clamp((float)(_x[column] + (share * ((double)value - _x[column]))), _lowest[column], _highest[column])),
    ];

    private IEnumerable<int> Changed(float[] point) => Enumerable.Range(0, _x.Length).Where(i => point[i] != _x[i]);

    /// <summary>The example itself, and places near it.</summary>
    private float[] Starts()
    {
        int size = _x.Length;
        var points = new float[_options.Restarts * size];
        Philox.FillNormal(
            points, _options.Seed, Philox.Stream(RandomUse.Explanation, (uint)ExplanationMethod.Counterfactual));
        for (int i = 0; i < points.Length; i++)
        {
            int column = i % size;
            points[i] = i < size || _isFixed[column]
                ? _x[column]
                : Math.Clamp(_x[column] + (_scales[column] * points[i]), _lowest[column], _highest[column]);
        }

        return points;
    }

    /// <summary>
    /// A step of Adam on the weighted square of the misses, in units of scales, and then the proximal step of the sum of
    /// magnitudes in the same metric: changes shrink by what the step weighs 1 with, and those below it vanish.
    /// </summary>
    private void Step(
        float[] points, float[] gradients, float[] misses, double weight, double[] means, double[] squares, int step)
    {
        for (int i = 0; i < points.Length; i++)
        {
            int column = i % _x.Length;
            if (_isFixed[column])
            {
                continue;
            }

            double gradient = 2 * weight * misses[i / _x.Length] * gradients[i] * _scales[column];
            means[i] = (MeanDecay * means[i]) + ((1 - MeanDecay) * gradient);
            squares[i] = (SquareDecay * squares[i]) + ((1 - SquareDecay) * gradient * gradient);
            double rate = _options.StepSize / (Math.Sqrt(squares[i] / (1 - Math.Pow(SquareDecay, step))) + 1e-8);
            double change = (((double)points[i] - _x[column]) / _scales[column])
                - (rate * means[i] / (1 - Math.Pow(MeanDecay, step)));
            change = Math.Sign(change) * Math.Max(Math.Abs(change) - Math.Min(rate, _options.StepSize), 0);
            points[i] = Math.Clamp((float)(_x[column] + (change * _scales[column])), _lowest[column], _highest[column]);
        }
    }

    /// <summary>With whole numbers where they are asked for, away from the example's so that the goal is rather kept.</summary>
    private float[] Whole(ReadOnlySpan<float> point)
    {
        float[] whole = point.ToArray();
        for (int i = 0; i < whole.Length; i++)
        {
            if (_isInteger[i] && whole[i] != _x[i])
            {
                float away = whole[i] > _x[i] ? MathF.Ceiling(whole[i]) : MathF.Floor(whole[i]);
                whole[i] = Math.Clamp(away, MathF.Ceiling(_lowest[i]), MathF.Floor(_highest[i]));
            }
        }

        return whole;
    }

    private bool Reaches(float[] whole, bool reached, ReadOnlySpan<float> point) =>
        point.SequenceEqual(whole) ? reached : Reaches(whole);

    private bool Reaches(float[] point) => _goal.IsReached(_explainer.Outputs(point));

    private double Change(float[] point, int column) => Math.Abs(((double)point[column] - _x[column]) / _scales[column]);

    private double Distance(float[] point) => Enumerable.Range(0, point.Length).Sum(column => Change(point, column));

    private float[] Column(IReadOnlyList<float>? given, float otherwise, string name) =>
        given is null ? [.. Enumerable.Repeat(otherwise, _x.Length)]
        : given.Count == _x.Length ? [.. given]
        : throw new ShapeException(
            $"Counterfactuals: expected {_x.Length} numbers for {name}, one per column, got {given.Count}.");

    private bool[] Flags(IReadOnlyList<int> columns, string name)
    {
        var flags = new bool[_x.Length];
        foreach (int column in columns)
        {
            flags[(uint)column < (uint)flags.Length
                ? column
                : throw new ArgumentOutOfRangeException(
                    name, column, $"Counterfactuals: expected columns 0..{flags.Length - 1}.")] = true;
        }

        return flags;
    }
}
