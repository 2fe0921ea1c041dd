using FastNN.Onnx.Model;
using FastNN.Onnx.Tests.Export;

namespace FastNN.Onnx.Tests;

/// <summary>Ensembles of many trees, as gradient boosting and random forests write them.</summary>
public sealed class ForestTests
{
    private const int Features = 5, Depth = 5, Trees = 12;

    /// <summary>
    /// Whole trees whose nodes ask for x at most a split, or for the opposite with the children in each other's place: then NaN
    /// has to be sent where the first form lets it fall.
    /// </summary>
    private static AttributeDef[] Forest(string prefix, int targets, bool isTurned, int trees = Trees, int depth = Depth)
    {
        int inner = (1 << depth) - 1, all = (2 << depth) - 1;
        var random = new Random(7);
        List<long> tree = [], node = [], feature = [], yes = [], no = [], missing = [];
        List<long> ofTree = [], ofNode = [], target = [];
        List<float> split = [], weight = [];
        List<string> mode = [];
        for (int t = 0; t < trees; t++)
        {
            for (int i = 0; i < all; i++)
            {
                bool isLeaf = i >= inner;
                tree.Add(t);
                node.Add(i);
                feature.Add(isLeaf ? 0 : random.Next(Features));
                split.Add(isLeaf ? 0 : random.Next(-4, 5) / 4f);
                mode.Add(isLeaf ? "LEAF" : isTurned ? "BRANCH_GT" : "BRANCH_LEQ");
                yes.Add(isLeaf ? 0 : (2 * i) + (isTurned ? 2 : 1));
                no.Add(isLeaf ? 0 : (2 * i) + (isTurned ? 1 : 2));
                missing.Add(isTurned && !isLeaf ? 1 : 0);
                if (isLeaf)
                {
                    ofTree.Add(t);
                    ofNode.Add(i);

                    // A tree is of one class, as boosting makes them: no class is without a score.
                    target.Add(t % targets);
                    weight.Add(random.NextSingle() - 0.5f);
                }
            }
        }

        return
        [
            Build.Ints("nodes_treeids", [.. tree]), Build.Ints("nodes_nodeids", [.. node]),
            Build.Ints("nodes_featureids", [.. feature]), Build.Floats("nodes_values", [.. split]),
            Build.Texts("nodes_modes", [.. mode]), Build.Ints("nodes_truenodeids", [.. yes]),
            Build.Ints("nodes_falsenodeids", [.. no]), Build.Ints("nodes_missing_value_tracks_true", [.. missing]),
            Build.Ints($"{prefix}_treeids", [.. ofTree]), Build.Ints($"{prefix}_nodeids", [.. ofNode]),
            Build.Ints($"{prefix}_ids", [.. target]), Build.Floats($"{prefix}_weights", [.. weight]),
        ];
    }

    private static ModelDef Model(string name, string outputs, params AttributeDef[] attributes) =>
        Build.Classic(3, Build.Node(name, "x", outputs, attributes), Features);

    // Values that are splits, between them, and none.
    private static OnnxTensor Rows(int rows, bool withNaN)
    {
        var random = new Random(3);
        return OnnxTensor.Create([.. Enumerable.Range(0, rows * Features).Select(i =>
            withNaN && i % 7 == 0 ? float.NaN : random.Next(-5, 6) / 4f)], rows, Features);
    }

    private static float[] Regressed(ModelDef model, OnnxTensor x)
    {
        using OnnxModel loaded = model.Load();
        return loaded.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = x })[0].Floats();
    }

    [TestCase("SUM")]
    [TestCase("AVERAGE")]
    [TestCase("MIN")]
    [TestCase("MAX")]
    public void Turned_tests_lead_to_the_same_leaves(string aggregate)
    {
        AttributeDef[] how = [Build.Int("n_targets", 3), Build.Text("aggregate_function", aggregate)];
        OnnxTensor x = Rows(200, withNaN: true);
        float[] plain = Regressed(Model("TreeEnsembleRegressor", "y", [.. Forest("target", 3, false), .. how]), x);
        float[] turned = Regressed(Model("TreeEnsembleRegressor", "y", [.. Forest("target", 3, true), .. how]), x);
        Assert.That(turned, Is.EqualTo(plain));
        Assert.That(plain.Distinct().Count(), Is.GreaterThan(20));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Forests_give_the_peer_s_numbers(bool isTurned)
    {
        ModelDef model = Model("TreeEnsembleClassifier", "label scores",
            [.. Forest("class", 4, isTurned), Build.Ints("classlabels_int64s", 3, 5, 8, 9),
                Build.Text("post_transform", "SOFTMAX")]);
        using var peer = new Peer(ModelWriter.Write(model).ToArray(), optimizes: false);
        using OnnxModel loaded = model.Load();
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Rows(50, withNaN: false) };
        OnnxTensor[] wanted = peer.Run(inputs);
        IReadOnlyList<OnnxValue?> got = loaded.Evaluate(inputs);
        Assert.That(((OnnxTensor)got[0]!).Values<long>().ToArray(), Is.EqualTo(wanted[0].Values<long>().ToArray()));
        Assert.That(got[1].Floats(), Is.EqualTo(wanted[1].Floats()).Within(1e-6));
    }

    /// <summary>The lists of the file are read at the first call: the others allocate less than one of them holds.</summary>
    [Test]
    public void Only_the_first_call_reads_the_attributes()
    {
        ModelDef model = Model("TreeEnsembleRegressor", "y", Forest("target", 1, false, trees: 40, depth: 8));
        using OnnxModel loaded = model.Load();
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Rows(1, withNaN: false) };
        long list = 40 * 511 * sizeof(long);
        Assert.That(Build.AllocatedBy(() => loaded.Evaluate(inputs)), Is.LessThan(list / 4));
    }

    [Test]
    public void Rows_with_too_few_features_are_refused()
    {
        using OnnxModel model = Model("TreeEnsembleRegressor", "y", Forest("target", 1, false)).Load();
        Assert.That(() => model.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = Build.Random(1, 2, 3) }),
            Throws.TypeOf<OnnxException>());
        AttributeDef[] wide = Forest("target", 1, false);
        wide[2] = Build.Ints("nodes_featureids", [.. wide[2].Ints.Select(feature => feature + 1)]);
        using OnnxModel other = Model("TreeEnsembleRegressor", "y", wide).Load();
        Assert.That(() => other.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = Rows(2, false) }),
            Throws.TypeOf<OnnxException>().With.Message.Contains("expected rows of 6 features at least, got FLOAT[2, 5]"));
    }
}
