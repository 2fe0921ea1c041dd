using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>What a node of a tree asks of its feature.</summary>
internal enum TreeTest
{
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
    NotEqual,
    Member,
}

/// <summary>A node of a tree; a child below 0 is the leaf ~child.</summary>
internal readonly record struct TreeNode(
    TreeTest Test, int Feature, double Split, int True, int False, bool NaNIsTrue, double[]? Members)
{
    public bool Holds(double x) => double.IsNaN(x) ? NaNIsTrue || (Test == TreeTest.NotEqual) : Test switch
    {
        TreeTest.AtMost => x <= Split,
        TreeTest.Below => x < Split,
        TreeTest.AtLeast => x >= Split,
        TreeTest.Above => x > Split,
        TreeTest.Equal => x == Split,
        TreeTest.NotEqual => x != Split,
        _ => Array.IndexOf(Members!, x) >= 0,
    };
}

/// <summary>Collects the nodes, leaves and roots of a <see cref="Forest"/>.</summary>
internal sealed class ForestBuilder(int targets)
{
    private readonly List<TreeNode> _nodes = [];
    private readonly List<int> _ends = [0];
    private readonly List<(int Target, double Weight)> _weights = [];
    private readonly List<int> _roots = [];

    /// <summary>How many sums there are for a row.</summary>
    public int Targets => targets;

    public void Add(TreeNode node) => _nodes.Add(node);

    public void AddRoot(int root) => _roots.Add(root);

    /// <summary>Adds a leaf of any number of weights; its place as nodes name it.</summary>
    public int AddLeaf(HostCall call, IEnumerable<(int Target, double Weight)> weights)
    {
        foreach ((int target, double weight) in weights)
        {
            if (target < 0 || target >= targets)
            {
                throw call.Error(string.Create(CultureInfo.InvariantCulture, $"targets from 0 to {targets - 1}"),
                    target.ToString(CultureInfo.InvariantCulture));
            }

            _weights.Add((target, weight));
        }

        _ends.Add(_weights.Count);
        return ~(_ends.Count - 2);
    }

    /// <exception cref="OnnxException">A walk would go in a circle.</exception>
    public Forest Build(HostCall call)
    {
        // 0: not seen, 1: on the way down, 2: everything below is seen.
        var seen = new byte[_nodes.Count];
        var way = new Stack<int>(_roots.Where(root => root >= 0));
        while (way.TryPeek(out int at))
        {
            if (seen[at] != 0)
            {
                seen[at] = 2;
                way.Pop();
                continue;
            }

            seen[at] = 1;
            foreach (int child in (ReadOnlySpan<int>)[_nodes[at].True, _nodes[at].False])
            {
                if (child >= 0 && seen[child] == 1)
                {
                    throw call.Error("trees without cycles",
                        string.Create(CultureInfo.InvariantCulture, $"node {child} below itself"));
                }

                if (child >= 0 && seen[child] == 0)
                {
                    way.Push(child);
                }
            }
        }

        int features = 1 + _nodes.Where((_, i) => seen[i] != 0).Select(node => node.Feature).DefaultIfEmpty(-1).Max();
        return new Forest([.. _nodes], [.. _ends], [.. _weights], [.. _roots], features);
    }
}

/// <summary>
/// Decision trees: nodes with a test and two children, leaves with weights for targets. Rows walk from each root to a leaf, and
/// the weights of the leaves are joined in the order of the roots, in double.
/// </summary>
internal sealed class Forest
{
    private readonly TreeNode[] _nodes;
    private readonly int[] _ends;
    private readonly (int Target, double Weight)[] _weights;
    private readonly int[] _roots;
    private readonly int _features;

    // Where all nodes ask for x <= split and NaN is false, a walk has no branch but its end: the place of the child is computed
    // from the comparison, which no processor foretells.
    private readonly Step[]? _steps;
    private readonly int[] _children = [];

    private readonly record struct Step(double Split, int Feature);

    /// <param name="nodes">The nodes.</param>
    /// <param name="ends">Where the weights of each leaf begin, and their number at last.</param>
    /// <param name="weights">The weights of all leaves.</param>
    /// <param name="roots">Where walks begin: nodes, or leaves.</param>
    /// <param name="features">How many features a row has at least.</param>
    public Forest(TreeNode[] nodes, int[] ends, (int Target, double Weight)[] weights, int[] roots, int features)
    {
        (_nodes, _ends, _weights, _roots, _features) = (nodes, ends, weights, roots, features);
        if (Array.TrueForAll(nodes, node => node is { Test: TreeTest.AtMost, NaNIsTrue: false }))
        {
            _steps = Array.ConvertAll(nodes, node => new Step(node.Split, node.Feature));
            _children = [.. nodes.SelectMany(node => new[] { node.False, node.True })];
        }
    }

    /// <summary>The sums of all rows.</summary>
    /// <param name="call">The call, of which input 0 has the rows.</param>
    /// <param name="start">What the targets begin with.</param>
    /// <param name="aggregate">SUM, AVERAGE, MIN or MAX of the trees' weights for a target.</param>
    public double[] Run(HostCall call, double[] start, string aggregate)
    {
        OnnxTensor input = call.Tensor(0);
        if (input.Rank != 2 || input.Dims[1] < _features)
        {
            throw call.Error(
                string.Create(CultureInfo.InvariantCulture, $"rows of {_features} features at least"), input.ToString());
        }

        double[] x = Numbers.Doubles(input);
        int rows = input.Dims[0], features = input.Dims[1], targets = start.Length;
        var y = new double[rows * targets];
        var seen = new bool[aggregate is "MIN" or "MAX" ? targets : 0];
        for (int row = 0; row < rows; row++)
        {
            Span<double> sums = y.AsSpan(row * targets, targets);
            ReadOnlySpan<double> of = x.AsSpan(row * features, features);
            if (seen.Length > 0)
            {
                Extremes(of, sums, seen, aggregate == "MIN");
            }
            else
            {
                Sum(of, sums);
            }

            for (int t = 0; t < targets; t++)
            {
                sums[t] = (aggregate == "AVERAGE" ? sums[t] / _roots.Length : sums[t]) + start[t];
            }
        }

        return y;
    }

    private void Sum(ReadOnlySpan<double> x, Span<double> sums)
    {
        foreach (int root in _roots)
        {
            foreach ((int target, double weight) in Leaf(root, x))
            {
                sums[target] += weight;
            }
        }
    }

    private void Extremes(ReadOnlySpan<double> x, Span<double> found, bool[] seen, bool least)
    {
        seen.AsSpan().Clear();
        foreach (int root in _roots)
        {
            foreach ((int target, double weight) in Leaf(root, x))
            {
                found[target] = !seen[target] ? weight
                    : least ? Math.Min(found[target], weight) : Math.Max(found[target], weight);
                seen[target] = true;
            }
        }
    }

    private ReadOnlySpan<(int Target, double Weight)> Leaf(int at, ReadOnlySpan<double> x)
    {
        if (_steps is { } steps)
        {
            int[] children = _children;
            while (at >= 0)
            {
                Step step = steps[at];
                at = children[(at * 2) + (x[step.Feature] <= step.Split ? 1 : 0)];
            }
        }
        else
        {
            while (at >= 0)
            {
                ref readonly TreeNode node = ref _nodes[at];
                at = node.Holds(x[node.Feature]) ? node.True : node.False;
            }
        }

        int leaf = ~at;
        return _weights.AsSpan(_ends[leaf], _ends[leaf + 1] - _ends[leaf]);
    }
}
