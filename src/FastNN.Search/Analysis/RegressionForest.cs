namespace FastNN.Search;

/// <summary>
/// Regression trees over the unit cube (Breiman, 2001), each grown to its end on examples drawn with replacement. A tree is kept
/// as its leaves, which divide the cube into boxes: that is all that variances need.
/// </summary>
internal sealed class RegressionForest
{
    private readonly double[][] _points;
    private readonly double[] _values;
    private readonly int[] _choices;
    private List<Leaf> _leaves = [];

    /// <param name="points">Places in the unit cube.</param>
    /// <param name="values">The value at each.</param>
    /// <param name="choices">For each axis how many values without an order it has, each in the middle of its share; 0 for
    /// numbers.</param>
    /// <param name="trees">How many trees.</param>
    /// <param name="random">Draws the examples of each.</param>
    public RegressionForest(double[][] points, double[] values, int[] choices, int trees, Random random)
    {
        (_points, _values, _choices) = (points, values, choices);
        for (int tree = 0; tree < trees; tree++)
        {
            _leaves = [];
            Grow([.. Enumerable.Range(0, points.Length).Select(_ => random.Next(points.Length))], Cube());
            Trees.Add(_leaves);
        }
    }

    /// <summary>The leaves of each tree.</summary>
    public List<IReadOnlyList<Leaf>> Trees { get; } = [];

    /// <summary>The part of an axis that a leaf takes: of numbers an interval, of choices those that are allowed.</summary>
    public readonly record struct Side(double Low, double High, bool[]? Allowed)
    {
        /// <summary>What share of the axis it is.</summary>
        public double Length => Allowed is null ? High - Low : (double)Allowed.Count(allowed => allowed) / Allowed.Length;
    }

    /// <summary>A box of the cube and the mean of the examples in it.</summary>
    public sealed record Leaf(Side[] Sides, double Value)
    {
        public double Volume { get; } = Sides.Aggregate(1.0, (volume, side) => volume * side.Length);
    }

    private Side[] Cube() =>
        [.. _choices.Select(count => new Side(0, 1, count == 0 ? null : [.. Enumerable.Repeat(true, count)]))];

    private void Grow(int[] rows, Side[] box)
    {
        double mean = rows.Average(row => _values[row]);
        Split? best = null;
        if (rows.Any(row => _values[row] != _values[rows[0]]))
        {
            for (int axis = 0; axis < box.Length; axis++)
            {
                best = Better(best, _choices[axis] == 0 ? OfNumbers(rows, axis) : OfChoices(rows, axis));
            }
        }

        if (best is not { } split)
        {
            _leaves.Add(new Leaf(box, mean));
            return;
        }

        Side[] below = [.. box], above = [.. box];
        (below[split.Axis], above[split.Axis]) = split.Divide(box[split.Axis]);
        Grow([.. rows.Where(row => split.IsBelow(_points[row][split.Axis]))], below);
        Grow([.. rows.Where(row => !split.IsBelow(_points[row][split.Axis]))], above);
    }

    private static Split? Better(Split? a, Split? b) => a is null || (b is not null && b.Value.Gain > a.Value.Gain) ? b : a;

    private Split? OfNumbers(int[] rows, int axis)
    {
        int[] order = [.. rows.OrderBy(row => _points[row][axis])];
        double total = order.Sum(row => _values[row]), sum = 0;
        Split? best = null;
        for (int i = 1; i < order.Length; i++)
        {
            sum += _values[order[i - 1]];
            double before = _points[order[i - 1]][axis], here = _points[order[i]][axis];
            if (here > before)
            {
                best = Better(best, new Split(axis, (before + here) / 2, -1, 0, GainOf(sum, i, total, order.Length)));
            }
        }

        return best;
    }

    /// <summary>One choice against the others.</summary>
    private Split? OfChoices(int[] rows, int axis)
    {
        int count = _choices[axis];
        double total = rows.Sum(row => _values[row]);
        Split? best = null;
        foreach (IGrouping<int, int> same in rows.GroupBy(row => (int)(_points[row][axis] * count)))
        {
            int those = same.Count();
            if (those < rows.Length)
            {
                best = Better(best, new Split(
                    axis, 0, same.Key, count, GainOf(same.Sum(row => _values[row]), those, total, rows.Length)));
            }
        }

        return best;
    }

    /// <summary>How much the sum of squared distances to the mean shrinks, up to what is the same for all splits.</summary>
    private static double GainOf(double sum, int count, double total, int all) =>
        (sum * sum / count) + ((total - sum) * (total - sum) / (all - count));

    /// <summary>Numbers below a place, or one choice, and the rest.</summary>
    private readonly record struct Split(int Axis, double At, int Choice, int Choices, double Gain)
    {
        public bool IsBelow(double point) => Choices == 0 ? point < At : (int)(point * Choices) == Choice;

        public (Side Below, Side Above) Divide(Side side)
        {
            if (side.Allowed is null)
            {
                return (side with { High = At }, side with { Low = At });
            }

            bool[] one = new bool[Choices], others = [.. side.Allowed];
            one[Choice] = true;
            others[Choice] = false;
            return (side with { Allowed = one }, side with { Allowed = others });
        }
    }
}
