namespace FastNN.Layers;

/// <summary>
/// Places the boxes of an acyclic graph in rows, arrows downwards (Sugiyama, Tagawa and Toda, 1981): a row is the longest way
/// from a beginning; an arrow over several rows has a bend in each, which keeps a place free for it; boxes of a row are ordered
/// by the mean place of what they are joined with, and then moved towards it as far as their neighbors allow.
/// </summary>
internal sealed class LayeredLayout
{
    private const int OrderSweeps = 8, PlaceSweeps = 16;
    private const double BendWidth = 8;

    private readonly double _gap;
    private readonly List<double> _widths;
    private readonly List<int> _rows = [];
    private readonly List<List<int>> _above = [], _below = [];
    private readonly List<List<int>> _order = [];
    private readonly List<double> _centers = [];

    /// <param name="widths">The boxes' widths; each stands behind those that it has arrows from.</param>
    /// <param name="edges">The arrows, by the places of the boxes.</param>
    /// <param name="gap">The least distance of two boxes of a row.</param>
    public LayeredLayout(IReadOnlyList<double> widths, IReadOnlyList<(int From, int To)> edges, double gap)
    {
        (_gap, _widths) = (gap, [.. widths]);
        FindRows(edges);
        Paths = [.. edges.Select(Bend)];
        Order();
        Place();
    }

    /// <summary>How many rows there are.</summary>
    public int Rows => _order.Count;

    /// <summary>For each arrow the points from its beginning to its end: a row and a middle.</summary>
    public IReadOnlyList<int[]> Paths { get; }

    /// <summary>The row of a box or a bend.</summary>
    public int RowOf(int point) => _rows[point];

    /// <summary>The middle of a box or a bend, from 0 on.</summary>
    public double CenterOf(int point) => _centers[point];

    /// <summary>The width that all rows take.</summary>
    public double Width => _order.Max(row => _centers[row[^1]] + (_widths[row[^1]] / 2));

    private void FindRows(IReadOnlyList<(int From, int To)> edges)
    {
        var rows = new int[_widths.Count];
        foreach ((int from, int to) in edges.OrderBy(edge => edge.To))
        {
            rows[to] = Math.Max(rows[to], rows[from] + 1);
        }

        for (int i = 0; i < rows.Length; i++)
        {
            AddPoint(i, rows[i]);
        }
    }

    private void AddPoint(int point, int row)
    {
        _rows.Add(row);
        _above.Add([]);
        _below.Add([]);
        while (_order.Count <= row)
        {
            _order.Add([]);
        }

        _order[row].Add(point);
    }

    private int[] Bend((int From, int To) edge)
    {
        List<int> path = [edge.From];
        for (int row = _rows[edge.From] + 1; row < _rows[edge.To]; row++)
        {
            AddPoint(_widths.Count, row);
            path.Add(_widths.Count);
            _widths.Add(BendWidth);
        }

        path.Add(edge.To);
        for (int i = 1; i < path.Count; i++)
        {
            _below[path[i - 1]].Add(path[i]);
            _above[path[i]].Add(path[i - 1]);
        }

        return [.. path];
    }

    private void Order()
    {
        var places = new double[_widths.Count];
        for (int sweep = 0; sweep <= OrderSweeps; sweep++)
        {
            bool isDown = sweep % 2 == 0;
            foreach (List<int> row in isDown ? _order : _order.AsEnumerable().Reverse())
            {
                List<List<int>> joined = isDown ? _above : _below;

                // The order is stable, so that equal graphs look alike.
                int[] sorted = [.. row.OrderBy(
                    point => joined[point].Count > 0 ? joined[point].Average(other => places[other]) : places[point])];
                for (int i = 0; i < sorted.Length; i++)
                {
                    (row[i], places[sorted[i]]) = (sorted[i], i - ((sorted.Length - 1) / 2.0));
                }
            }
        }
    }

    private void Place()
    {
        _centers.AddRange(Enumerable.Repeat(0.0, _widths.Count));
        for (int sweep = 0; sweep <= PlaceSweeps; sweep++)
        {
            bool isDown = sweep % 2 == 0;
            foreach (List<int> row in isDown ? _order : _order.AsEnumerable().Reverse())
            {
                Place(row, isDown ? _above : _below);
            }
        }

        double left = _order.Min(row => _centers[row[0]] - (_widths[row[0]] / 2));
        for (int i = 0; i < _centers.Count; i++)
        {
            _centers[i] -= left;
        }
    }

    /// <summary>
    /// Each box where it is wanted, but for those that would overlap: they stand side by side around the mean of their wishes.
    /// </summary>
    private void Place(List<int> row, List<List<int>> joined)
    {
        var groups = new Stack<(int Count, double Wish, double Width)>();
        foreach (int point in row)
        {
            double wish = joined[point].Count > 0 ? joined[point].Average(other => _centers[other]) : _centers[point];

            // A group's wish is where its left end would best be.
            (int Count, double Wish, double Width) group = (1, wish - (_widths[point] / 2), _widths[point]);
            while (groups.TryPeek(out (int Count, double Wish, double Width) left) && left.Wish + left.Width + _gap > group.Wish)
            {
                groups.Pop();
                double offset = left.Width + _gap;
                group = (
                    left.Count + group.Count,
                    ((left.Count * left.Wish) + (group.Count * (group.Wish - offset))) / (left.Count + group.Count),
                    offset + group.Width);
            }

            groups.Push(group);
        }

        int at = 0;
        foreach ((int count, double wish, _) in groups.Reverse())
        {
            double x = wish;
            for (int i = 0; i < count; i++, at++)
            {
                _centers[row[at]] = x + (_widths[row[at]] / 2);
                x += _widths[row[at]] + _gap;
            }
        }
    }
}
