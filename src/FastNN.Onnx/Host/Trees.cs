using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>
/// Ensembles of decision trees: TreeEnsemble of ai.onnx.ml 5, and the regressor and classifier before it. All become a
/// <see cref="Forest"/>, once per node.
/// </summary>
internal static class Trees
{
    /// <summary>What a node's attributes come to.</summary>
    /// <param name="Forest">The trees.</param>
    /// <param name="Start">What the sums of the targets begin with.</param>
    /// <param name="Aggregate">How the trees' weights are joined.</param>
    private sealed record Prepared(Forest Forest, double[] Start, string Aggregate)
    {
        public double[] Run(HostCall call) => Forest.Run(call, Start, Aggregate);
    }

    /// <summary>A classifier's trees.</summary>
    /// <param name="Trees">The trees; of two classes that share one score only the score.</param>
    /// <param name="IsPositive">Whether no weight is negative, so that scores are probabilities.</param>
    private sealed record PreparedClasses(Prepared Trees, bool IsPositive);

    /// <summary>TreeEnsemble: nodes and leaves by their places.</summary>
    public static OnnxValue?[] Ensemble(HostCall call)
    {
        Prepared trees = call.Prepared(OfPlaces);
        int count = trees.Start.Length;
        double[] y = trees.Run(call);
        string[] names = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"];
        Scores.Transform(call, y, count, names[Math.Clamp(call.Int("post_transform", 0), 0, 4)]);
        OnnxTensor x = call.Tensor(0);
        return HostCall.One(Normalizations.Rounded(y, [x.Dims[0], count], x.ElementType));
    }

    private static Prepared OfPlaces(HostCall call)
    {
        var trees = new ForestBuilder(Targets(call));
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
            double[]? set = null;
            var test = (TreeTest)(int)modes[i];
            if (test == TreeTest.Member && !members.TryDequeue(out set))
            {
                throw call.Error("a set of members per node", "fewer");
            }

            trees.Add(new TreeNode(test, Feature(call, features[i]), splits[i], Child(yes[i], yesLeaf[i]),
                Child(no[i], noLeaf[i]), missing[i] != 0, set));
        }

        for (int i = 0; i < targets.Length; i++)
        {
            trees.AddLeaf(call, [((int)targets[i], weights[i])]);
        }

        foreach (long root in Required(call, "tree_roots"))
        {
            trees.AddRoot(Child(root, 0));
        }

        return new Prepared(trees.Build(call), new double[trees.Targets],
            call.Int("aggregate_function", 1) switch { 0 => "AVERAGE", 2 => "MIN", 3 => "MAX", _ => "SUM" });
    }

    public static OnnxValue?[] Regressor(HostCall call)
    {
        Prepared trees = call.Prepared(first =>
        {
            ForestBuilder builder = Named(first, "target", Targets(first), single: false);
            return new Prepared(builder.Build(first), Base(first, builder.Targets), first.Text("aggregate_function", "SUM"));
        });
        int count = trees.Start.Length;
        double[] y = trees.Run(call);
        Scores.Transform(call, y, count, call.Text("post_transform", "NONE"));
        return HostCall.One(Normalizations.Rounded(y, [call.Tensor(0).Dims[0], count], OnnxElementType.Float32));
    }

    public static OnnxValue?[] Classifier(HostCall call)
    {
        PreparedClasses classes = call.Prepared(OfClasses);
        return Scores.Classify(call, classes.Trees.Run(call), classes.Trees.Start.Length, classes.IsPositive ? 0.5 : 0,
            classes.IsPositive);
    }

    private static PreparedClasses OfClasses(HostCall call)
    {
        int count = call.Texts("classlabels_strings") is { Length: > 0 } texts ? texts.Length
            : call.Ints("classlabels_int64s")?.Length ?? throw call.Error("classlabels_strings or classlabels_int64s", "neither");
        bool single = count == 2 && Required(call, "class_ids").Distinct().Count() == 1;
        double[] start = Base(call, count);
        ForestBuilder trees = Named(call, "class", single ? 1 : count, single);
        return new PreparedClasses(
            new Prepared(trees.Build(call), single ? [start[start[1] != 0 ? 1 : 0]] : start, "SUM"),
            Doubles(call, "class_weights").All(weight => weight >= 0));
    }

    private static int Targets(HostCall call) => call.Int("n_targets", 1) is > 0 and <= int.MaxValue and var count ? (int)count
        : throw call.Error("a positive number of targets", call.Int("n_targets", 1).ToString(CultureInfo.InvariantCulture));

    private static double[] Base(HostCall call, int count)
    {
        double[] given = call.HasAttribute("base_values") || call.HasAttribute("base_values_as_tensor")
            ? Doubles(call, "base_values")
            : [];
        return given.Length == count ? given : given.Length == 1 ? [.. Enumerable.Repeat(given[0], count)] : new double[count];
    }

    /// <summary>Nodes and weights named by tree and node, as before version 5.</summary>
    /// <param name="call">The call.</param>
    /// <param name="prefix">What the names of the leaves' attributes begin with.</param>
    /// <param name="count">How many targets there are.</param>
    /// <param name="single">Whether all weights belong to one target, whatever the file calls it.</param>
    private static ForestBuilder Named(HostCall call, string prefix, int count, bool single)
    {
        var trees = new ForestBuilder(count);
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
        if (ofTree.Length != weight.Length || ofNode.Length != weight.Length || target.Length != weight.Length)
        {
            throw call.Error("lists of one length for the leaves' weights", "others");
        }

        for (int i = 0; i < weight.Length; i++)
        {
            (long, long) key = (ofTree[i], ofNode[i]);
            weights.TryAdd(key, []);
            weights[key].Add((single ? 0 : (int)target[i], weight[i]));
        }

        var places = new Dictionary<(long, long), int>();
        int inner = 0;
        for (int i = 0; i < tree.Length; i++)
        {
            if (modes[i] == "LEAF")
            {
                places[(tree[i], id[i])] = trees.AddLeaf(call, weights.GetValueOrDefault((tree[i], id[i]), []));
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

            TreeTest test = modes[i] switch
            {
                "BRANCH_LEQ" => TreeTest.AtMost,
                "BRANCH_LT" => TreeTest.Below,
                "BRANCH_GTE" => TreeTest.AtLeast,
                "BRANCH_GT" => TreeTest.Above,
                "BRANCH_EQ" => TreeTest.Equal,
                "BRANCH_NEQ" => TreeTest.NotEqual,
                var other => throw call.Error("a known mode of nodes", other),
            };
            trees.Add(new TreeNode(test, Feature(call, features[i]), splits[i], Child(tree[i], yes[i]),
                Child(tree[i], no[i]), missing[i] != 0, null));
            children.Add((tree[i], yes[i]));
            children.Add((tree[i], no[i]));
        }

        for (int i = 0; i < tree.Length; i++)
        {
            if (!children.Contains((tree[i], id[i])))
            {
                trees.AddRoot(places[(tree[i], id[i])]);
            }
        }

        return trees;
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
