using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>
/// Ensembles of decision trees: TreeEnsemble of ai.onnx.ml 5, and the regressor and classifier before it. All become one form:
/// nodes with a test and two children, leaves with a weight for a target.
/// </summary>
internal sealed class Trees
{
    private enum Test
    {
        AtMost,
        Below,
        AtLeast,
        Above,
        Equal,
        NotEqual,
        Member,
    }

    /// <summary>A node; a child below 0 is the leaf ~child.</summary>
    private readonly record struct Node(Test Test, int Feature, double Split, int True, int False, bool NaNIsTrue)
    {
        public double[]? Members { get; init; }

        public bool Holds(double x) => double.IsNaN(x) ? NaNIsTrue || (Test == Test.NotEqual) : Test switch
        {
            Test.AtMost => x <= Split,
            Test.Below => x < Split,
            Test.AtLeast => x >= Split,
            Test.Above => x > Split,
            Test.Equal => x == Split,
            Test.NotEqual => x != Split,
            _ => Array.IndexOf(Members!, x) >= 0,
        };
    }

    private readonly List<Node> _nodes = [];
    private readonly List<(int Target, double Weight)[]> _leaves = [];
    private readonly List<int> _roots = [];

    /// <summary>TreeEnsemble: nodes and leaves by their places.</summary>
    public static OnnxValue?[] Ensemble(HostCall call)
    {
        var trees = new Trees();
        long[] features = Required(call, "nodes_featureids"), yes = Required(call, "nodes_truenodeids"),
            no = Required(call, "nodes_falsenodeids"), yesLeaf = Required(call, "nodes_trueleafs"),
            noLeaf = Required(call, "nodes_falseleafs"), targets = Required(call, "leaf_targetids");
        double[] splits = Doubles(call, "nodes_splits"), modes = Doubles(call, "nodes_modes");
        double[] weights = Doubles(call, "leaf_weights");
        long[] missing = call.Ints("nodes_missing_value_tracks_true") ?? new long[features.Length];
        Queue<double[]> members = Sets(call);
        long[][] lists = [yes, no, yesLeaf, noLeaf, missing];
        if (splits.Length != features.Length || modes.Length != features.Length || targets.Length != weights.Length
            || Array.Exists(lists, list => list.Length != features.Length))
        {
            throw call.Error("lists of one length for the nodes, and of one for the leaves", "others");
        }

        int Child(long at, long isLeaf) => at >= 0 && at < (isLeaf != 0 ? weights.Length : features.Length)
            ? isLeaf != 0 ? ~(int)at : (int)at
            : throw call.Error("children among the nodes and leaves", at.ToString(CultureInfo.InvariantCulture));

        for (int i = 0; i < features.Length; i++)
        {
            var test = (Test)(int)modes[i];
            trees._nodes.Add(new Node(test, Feature(call, features[i]), splits[i], Child(yes[i], yesLeaf[i]),
                Child(no[i], noLeaf[i]), missing[i] != 0)
            {
                Members = test == Test.Member
                    ? members.TryDequeue(out double[]? set) ? set : throw call.Error("a set of members per node", "fewer")
                    : null,
            });
        }

        trees._leaves.AddRange(targets.Zip(weights, (target, weight) => new[] { ((int)target, weight) }));
        trees._roots.AddRange(Required(call, "tree_roots").Select(root => Child(root, 0)));
        int count = (int)call.Int("n_targets", 1);
        double[] y = trees.Run(call, count, new double[count],
            call.Int("aggregate_function", 1) switch { 0 => "AVERAGE", 2 => "MIN", 3 => "MAX", _ => "SUM" });
        string[] names = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"];
        Scores.Transform(call, y, count, names[Math.Clamp(call.Int("post_transform", 0), 0, 4)]);
        OnnxTensor x = call.Tensor(0);
        return HostCall.One(Normalizations.Rounded(y, [x.Dims[0], count], x.ElementType));
    }

    public static OnnxValue?[] Regressor(HostCall call)
    {
        Trees trees = Old(call, "target");
        int count = (int)call.Int("n_targets", 1);
        double[] y = trees.Run(call, count, Base(call, count), call.Text("aggregate_function", "SUM"));
        Scores.Transform(call, y, count, call.Text("post_transform", "NONE"));
        return HostCall.One(Normalizations.Rounded(y, [call.Tensor(0).Dims[0], count], OnnxElementType.Float32));
    }

    public static OnnxValue?[] Classifier(HostCall call)
    {
        Trees trees = Old(call, "class");
        int count = call.Texts("classlabels_strings")?.Length ?? call.Ints("classlabels_int64s")?.Length
            ?? throw call.Error("classlabels_strings or classlabels_int64s", "neither");
        long[] ids = Required(call, "class_ids");
        bool single = count == 2 && ids.Distinct().Count() == 1;
        double[] y;
        if (single)
        {
            foreach ((int Target, double Weight)[] leaf in trees._leaves)
            {
                for (int i = 0; i < leaf.Length; i++)
                {
                    leaf[i] = (0, leaf[i].Weight);
                }
            }

            double[] start = Base(call, count);
            y = trees.Run(call, 1, [start[start[1] != 0 ? 1 : 0]], "SUM");
        }
        else
        {
            y = trees.Run(call, count, Base(call, count), "SUM");
        }

        bool positive = Doubles(call, "class_weights").All(weight => weight >= 0);
        return Scores.Classify(call, y, single ? 1 : count, positive ? 0.5 : 0, positive);
    }

    private static double[] Base(HostCall call, int count)
    {
        double[] given = call.HasAttribute("base_values") || call.HasAttribute("base_values_as_tensor")
            ? Doubles(call, "base_values")
            : [];
        return given.Length == count ? given : given.Length == 1 ? [.. Enumerable.Repeat(given[0], count)] : new double[count];
    }

    /// <summary>Nodes and weights named by tree and node, as before version 5.</summary>
    private static Trees Old(HostCall call, string prefix)
    {
        var trees = new Trees();
        long[] tree = Required(call, "nodes_treeids"), id = Required(call, "nodes_nodeids"),
            features = Required(call, "nodes_featureids"), yes = Required(call, "nodes_truenodeids"),
            no = Required(call, "nodes_falsenodeids");
        long[] missing = call.Ints("nodes_missing_value_tracks_true") is { Length: > 0 } given ? given : new long[tree.Length];
        double[] splits = Doubles(call, "nodes_values");
        string[] modes = call.Texts("nodes_modes") ?? throw call.Error("nodes_modes", "none");
        long[][] lists = [id, features, yes, no, missing];
        if (modes.Length != tree.Length || splits.Length != tree.Length
            || Array.Exists(lists, list => list.Length != tree.Length))
        {
            throw call.Error("lists of one length for the nodes", "others");
        }

        var weights = new Dictionary<(long, long), List<(int, double)>>();
        long[] ofTree = Required(call, $"{prefix}_treeids"), ofNode = Required(call, $"{prefix}_nodeids"),
            target = Required(call, $"{prefix}_ids");
        double[] weight = Doubles(call, $"{prefix}_weights");
        for (int i = 0; i < weight.Length; i++)
        {
            (long, long) key = (ofTree[i], ofNode[i]);
            weights.TryAdd(key, []);
            weights[key].Add(((int)target[i], weight[i]));
        }

        var places = new Dictionary<(long, long), int>();
        int inner = 0;
        for (int i = 0; i < tree.Length; i++)
        {
            if (modes[i] == "LEAF")
            {
                places[(tree[i], id[i])] = ~trees._leaves.Count;
                trees._leaves.Add([.. weights.GetValueOrDefault((tree[i], id[i]), [])]);
            }
            else
            {
                places[(tree[i], id[i])] = inner++;
            }
        }

        int Child(long of, long node) => places.TryGetValue((of, node), out int place) ? place
            : throw call.Error("children among the nodes of a tree", node.ToString(CultureInfo.InvariantCulture));

        var children = new HashSet<(long, long)>();
        for (int i = 0; i < tree.Length; i++)
        {
            if (modes[i] == "LEAF")
            {
                continue;
            }

            Test test = modes[i] switch
            {
                "BRANCH_LEQ" => Test.AtMost,
                "BRANCH_LT" => Test.Below,
                "BRANCH_GTE" => Test.AtLeast,
                "BRANCH_GT" => Test.Above,
                "BRANCH_EQ" => Test.Equal,
                "BRANCH_NEQ" => Test.NotEqual,
                var other => throw call.Error("a known mode of nodes", other),
            };
            trees._nodes.Add(new Node(test, Feature(call, features[i]), splits[i], Child(tree[i], yes[i]), Child(tree[i], no[i]),
                missing[i] != 0));
            children.Add((tree[i], yes[i]));
            children.Add((tree[i], no[i]));
        }

        trees._roots.AddRange(Enumerable.Range(0, tree.Length).Select(i => (tree[i], id[i]))
            .Where(node => !children.Contains(node)).Select(node => places[node]));
        return trees;
    }

    private double[] Run(HostCall call, int targets, double[] start, string aggregate)
    {
        OnnxTensor input = call.Tensor(0);
        if (input.Rank != 2 || targets <= 0)
        {
            throw call.Error("rows of features and a positive number of targets", $"{input}, {targets} targets");
        }

        double[] x = Numbers.Doubles(input);
        int rows = input.Dims[0], features = input.Dims[1];
        var y = new double[rows * targets];
        for (int row = 0; row < rows; row++)
        {
            Span<double> sums = y.AsSpan(row * targets, targets);
            var seen = new bool[targets];
            foreach (int root in _roots)
            {
                foreach ((int target, double weight) in _leaves[Leaf(call, root, x.AsSpan(row * features, features))])
                {
                    if (target < 0 || target >= targets)
                    {
                        throw call.Error(string.Create(CultureInfo.InvariantCulture, $"targets from 0 to {targets - 1}"),
                            target.ToString(CultureInfo.InvariantCulture));
                    }

                    sums[target] = !seen[target] ? weight : aggregate switch
                    {
                        "MIN" => Math.Min(sums[target], weight),
                        "MAX" => Math.Max(sums[target], weight),
                        _ => sums[target] + weight,
                    };
                    seen[target] = true;
                }
            }

            for (int t = 0; t < targets; t++)
            {
                sums[t] = (aggregate == "AVERAGE" ? sums[t] / _roots.Count : sums[t]) + start[t];
            }
        }

        return y;
    }

    private int Leaf(HostCall call, int at, ReadOnlySpan<double> x)
    {
        // A walk that is longer than there are nodes goes in a circle.
        for (int steps = 0; at >= 0; steps++)
        {
            Node node = _nodes[at];
            if (node.Feature >= x.Length || steps > _nodes.Count)
            {
                throw call.Error("trees without cycles over the input's features",
                    string.Create(CultureInfo.InvariantCulture, $"feature {node.Feature} of {x.Length}, step {steps}"));
            }

            at = node.Holds(x[node.Feature]) ? node.True : node.False;
        }

        return ~at;
    }

    private static Queue<double[]> Sets(HostCall call)
    {
        var sets = new Queue<double[]>();
        if (!call.HasAttribute("membership_values"))
        {
            return sets;
        }

        var set = new List<double>();
        foreach (double value in Doubles(call, "membership_values"))
        {
            if (double.IsNaN(value))
            {
                sets.Enqueue([.. set]);
                set.Clear();
            }
            else
            {
                set.Add(value);
            }
        }

        if (set.Count > 0)
        {
            sets.Enqueue([.. set]);
        }

        return sets;
    }

    private static int Feature(HostCall call, long feature) => feature is >= 0 and <= int.MaxValue ? (int)feature
        : throw call.Error("features from 0 on", feature.ToString(CultureInfo.InvariantCulture));

    private static long[] Required(HostCall call, string name) => call.Ints(name) ?? throw call.Error(name, "none");

    private static double[] Doubles(HostCall call, string name) =>
        (call.Node.Attributes.GetValueOrDefault(name)?.Kind == Model.AttributeKind.Tensor
            ? call.TensorAttribute(name) : call.TensorAttribute($"{name}_as_tensor")) is { } tensor ? Numbers.Doubles(tensor)
        : call.Floats(name) is { } floats ? Array.ConvertAll(floats, value => (double)value)
        : throw call.Error(name, "none");
}
