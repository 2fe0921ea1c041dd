namespace FastNN.Graphs;

/// <summary>
/// When everything of a plan happens. With F nodes, their forward passes are steps 0 to F - 1. Behind them come the backward
/// passes, that of the last node first, also of nodes that have none; in front of a recomputed segment's are the forward passes
/// of those of its nodes that are needed again.
/// </summary>
internal sealed class StepNumbers
{
    private readonly IReadOnlyList<Node> _nodes;
    private readonly int[] _backward;
    private readonly int[] _again;
    private readonly HashSet<Value> _recomputed = [];

    private StepNumbers(IReadOnlyList<Node> nodes) =>
        (_nodes, _backward, _again) = (nodes, new int[nodes.Count], new int[nodes.Count]);

    /// <summary>The last step; -1 where there are no nodes.</summary>
    public int Last { get; private set; }

    /// <summary>What follows the forward passes: the node, the step, and whether it is computed again.</summary>
    public List<(int Node, int Step, bool IsAgain)> Backward { get; } = [];

    /// <summary>Numbers the steps.</summary>
    /// <param name="nodes">In order.</param>
    /// <param name="hasBackward">Whether a gradient flows through a node.</param>
    /// <param name="keeps">Whether a node saves something for its backward pass.</param>
    public static StepNumbers Of(IReadOnlyList<Node> nodes, Func<int, bool> hasBackward, Func<int, bool> keeps)
    {
        var steps = new StepNumbers(nodes);
        int last = -1;
        var members = new Dictionary<int, List<int>>();
        for (int i = 0; i < nodes.Count; i++)
        {
            steps._again[i] = -1;
            if (steps.SegmentOf(i) is not 0 and var segment)
            {
                members.TryAdd(segment, []);
                members[segment].Add(i);
            }
        }

        last = nodes.Count - 1;
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            if (steps.SegmentOf(i) is not 0 and var segment && members[segment][^1] == i)
            {
                foreach (int node in steps.NeededAgain(members[segment], hasBackward, keeps))
                {
                    steps._again[node] = ++last;
                    steps._recomputed.UnionWith(nodes[node].Outputs);
                    steps.Backward.Add((node, last, true));
                }
            }

            steps._backward[i] = ++last;
            steps.Backward.Add((i, last, false));
        }

        steps.Last = last;
        return steps;
    }

    public int BackwardOf(int node) => _backward[node];

    /// <summary>The step at which a node is computed again.</summary>
    public int AgainOf(int node) => _again[node];

    public bool IsAgain(int node) => _again[node] >= 0;

    /// <summary>Whether a value is computed again.</summary>
    public bool IsAgain(Value value) => _recomputed.Contains(value);

    /// <summary>The segment that a node is of, or 0.</summary>
    public int SegmentOf(int node) => _nodes[node].Outputs is [var first, ..] ? first.Segment : 0;

    /// <summary>
    /// The nodes of a segment, in order, that save something for backward passes or compute what those, or others that are needed
    /// again, read.
    /// </summary>
    private List<int> NeededAgain(List<int> members, Func<int, bool> hasBackward, Func<int, bool> keeps)
    {
        var read = new HashSet<Value>();
        var needed = new List<int>();
        for (int m = members.Count - 1; m >= 0; m--)
        {
            int i = members[m];
            Node node = _nodes[i];
            bool[] all = new bool[node.Inputs.Length];
            Array.Fill(all, true);
            bool isNeeded = Array.Exists(node.Outputs, read.Contains);
            if (hasBackward(i))
            {
                isNeeded |= keeps(i);
                for (int j = 0; j < node.Outputs.Length; j++)
                {
                    isNeeded |= node.Op.BackwardReadsOutput(j, all);
                }

                for (int j = 0; j < node.Inputs.Length; j++)
                {
                    if (node.Op.BackwardReadsInput(j, all))
                    {
                        read.Add(node.Inputs[j]);
                    }
                }
            }

            if (isNeeded)
            {
                needed.Add(i);
                read.UnionWith(node.Inputs);
            }
        }

        needed.Reverse();
        return needed;
    }
}
