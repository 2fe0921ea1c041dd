using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>The domain ai.onnx.ml, against numbers worked out by hand.</summary>
public sealed class ClassicTests
{
    private static OnnxValue?[] Run(string name, OnnxValue[] inputs, int outputs, params AttributeDef[] attributes)
    {
        string[] names = [.. inputs.Select((_, i) => $"x{i}")], results = [.. Enumerable.Range(0, outputs).Select(i => $"y{i}")];
        NodeDef node = Build.Node(name, string.Join(' ', names), string.Join(' ', results), attributes);
        node.Domain = "ai.onnx.ml";
        ModelDef definition = Build.Model(17, node).With(names, results);
        definition.Opsets["ai.onnx.ml"] = 5;
        using OnnxModel model = definition.Load();
        return [.. model.Evaluate(names.Zip(inputs).ToDictionary(pair => pair.First, pair => pair.Second))];
    }

    private static AttributeDef Floats(string name, params float[] values)
    {
        var attribute = new AttributeDef { Name = name, Kind = AttributeKind.Floats };
        attribute.Floats.AddRange(values);
        return attribute;
    }

    private static AttributeDef Texts(string name, params string[] values)
    {
        var attribute = new AttributeDef { Name = name, Kind = AttributeKind.Strings };
        attribute.Strings.AddRange(values.Select(System.Text.Encoding.UTF8.GetBytes));
        return attribute;
    }

    private static AttributeDef Tensor(string name, TensorDef tensor) =>
        new() { Name = name, Kind = AttributeKind.Tensor, Tensor = tensor };

    private static readonly OnnxTensor Rows = OnnxTensor.Create([1f, -2, 3, 0, 4, -4], 2, 3);

    [Test]
    public void Features_are_picked_from_the_last_axis()
    {
        OnnxValue?[] y = Run("ArrayFeatureExtractor", [Rows, OnnxTensor.Create([2L, 0], 2)], 1);
        Assert.That(y[0].Floats(), Is.EqualTo(new[] { 3f, 1, -4, 0 }));
        Assert.That(() => Run("ArrayFeatureExtractor", [Rows, OnnxTensor.Create([3L], 1)], 1),
            Throws.TypeOf<OnnxException>().With.Message.Contains("expected indices from 0 to 2, got 3"));
    }

    [Test]
    public void Features_are_scaled_normalized_and_imputed()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Run("Scaler", [Rows], 1, Floats("offset", 1, 0, 2), Floats("scale", 2, 3, 1))[0].Floats(),
                Is.EqualTo(new[] { 0f, -6, 1, -2, 12, -6 }));
            Assert.That(Run("Normalizer", [Rows], 1, Build.Text("norm", "L1"))[0].Floats(),
                Is.EqualTo(new[] { 1 / 6f, -2 / 6f, 3 / 6f, 0, 0.5f, -0.5f }));
            Assert.That(Run("Binarizer", [Rows], 1, Build.Number("threshold", 1))[0].Floats(),
                Is.EqualTo(new[] { 0f, 0, 1, 0, 1, 0 }));
            Assert.That(Run("Imputer", [OnnxTensor.Create([1f, float.NaN, 3], 1, 3)], 1,
                    Floats("imputed_value_floats", 7), Build.Number("replaced_value_float", float.NaN))[0].Floats(),
                Is.EqualTo(new[] { 1f, 7, 3 }));
            Assert.That(Run("OneHotEncoder", [OnnxTensor.Create(["b", "z"], 2)], 1, Texts("cats_strings", "a", "b"))[0].Floats(),
                Is.EqualTo(new[] { 0f, 1, 0, 0 }));
            Assert.That(Run("FeatureVectorizer", [Rows, OnnxTensor.Create([8L, 9], 2, 1)], 1)[0].Floats(),
                Is.EqualTo(new[] { 1f, -2, 3, 8, 0, 4, -4, 9 }));
        });
    }

    [Test]
    public void Labels_are_mapped_and_unknown_ones_get_the_default()
    {
        OnnxValue?[] y = Run("LabelEncoder", [OnnxTensor.Create([2f, float.NaN, 5], 3)], 1,
            Floats("keys_floats", 2, float.NaN), Texts("values_strings", "two", "none"), Build.Text("default_string", "?"));
        Assert.That(((OnnxTensor)y[0]!).Values<string>().ToArray(), Is.EqualTo(new[] { "two", "none", "?" }));
    }

    [Test]
    public void A_linear_classifier_gives_labels_and_scores()
    {
        OnnxValue?[] y = Run("LinearClassifier", [OnnxTensor.Create([1f, 2, -3, 1], 2, 2)], 2,
            Floats("coefficients", 1, 0, 0, 1, -1, -1), Floats("intercepts", 0, 0.5f, 0),
            Texts("classlabels_strings", "a", "b", "c"));
        Assert.That(((OnnxTensor)y[0]!).Values<string>().ToArray(), Is.EqualTo(new[] { "b", "c" }));
        Assert.That(y[1].Floats(), Is.EqualTo(new[] { 1, 2.5f, -3, -3, 1.5f, 2 }));
    }

    [Test]
    public void A_linear_regressor_gives_sums()
    {
        OnnxValue?[] y = Run("LinearRegressor", [OnnxTensor.Create([1f, 2, -3, 1], 2, 2)], 1,
            Floats("coefficients", 1, 10), Floats("intercepts", 0.5f));
        Assert.That(y[0].Floats(), Is.EqualTo(new[] { 21.5f, 7.5f }));
    }

    // Feature 0 at most 1? then feature 1 below 0? 10 : 20, else 30; and a second tree that is one leaf of a weight.
    private static AttributeDef[] OldTrees(string prefix) =>
    [
        Build.Ints("nodes_treeids", 0, 0, 0, 0, 0, 1), Build.Ints("nodes_nodeids", 0, 1, 2, 3, 4, 0),
        Build.Ints("nodes_featureids", 0, 1, 0, 0, 0, 0), Floats("nodes_values", 1, 0, 0, 0, 0, 0),
        Texts("nodes_modes", "BRANCH_LEQ", "BRANCH_LT", "LEAF", "LEAF", "LEAF", "LEAF"),
        Build.Ints("nodes_truenodeids", 1, 3, 0, 0, 0, 0), Build.Ints("nodes_falsenodeids", 2, 4, 0, 0, 0, 0),
        Build.Ints($"{prefix}_treeids", 0, 0, 0, 1), Build.Ints($"{prefix}_nodeids", 2, 3, 4, 0),
        Build.Ints($"{prefix}_ids", 0, 0, 0, 0), Floats($"{prefix}_weights", 30, 10, 20, 1),
    ];

    [TestCase("SUM", 11, 21, 31)]
    [TestCase("AVERAGE", 5.5f, 10.5f, 15.5f)]
    [TestCase("MIN", 1, 1, 1)]
    [TestCase("MAX", 10, 20, 30)]
    public void Trees_of_old_versions_regress(string aggregate, float first, float second, float third)
    {
        OnnxTensor x = OnnxTensor.Create([1f, -1, 0, 0, 2, -1], 3, 2);
        OnnxValue?[] y = Run("TreeEnsembleRegressor", [x], 1,
            [.. OldTrees("target"), Build.Int("n_targets", 1), Build.Text("aggregate_function", aggregate)]);
        Assert.That(y[0].Floats(), Is.EqualTo(new[] { first, second, third }));
    }

    [Test]
    public void A_single_score_stands_for_the_second_of_two_classes()
    {
        AttributeDef[] trees = OldTrees("class");
        trees[^1] = Floats("class_weights", 0.9f, 0.2f, 0.4f, 0.05f);
        OnnxValue?[] y = Run("TreeEnsembleClassifier", [OnnxTensor.Create([1f, -1, 2, 0], 2, 2)], 2,
            [.. trees, Build.Ints("classlabels_int64s", 7, 8)]);
        Assert.That(((OnnxTensor)y[0]!).Values<long>().ToArray(), Is.EqualTo(new[] { 7L, 8 }));
        Assert.That(y[1].Floats(), Is.EqualTo(new[] { 0.75f, 0.25f, 0.05f, 0.95f }).Within(1e-6));
    }

    [Test]
    public void An_ensemble_tests_members_and_sends_NaN_where_it_says()
    {
        OnnxTensor x = OnnxTensor.Create([2f, 5, float.NaN], 3, 1);
        OnnxValue?[] y = Run("TreeEnsemble", [x], 1,
            Build.Ints("nodes_featureids", 0), Tensor("nodes_splits", Build.Tensor("", [0f], 1)),
            Tensor("nodes_modes", Build.Tensor("", OnnxElementType.UInt8, [1], [6])), Build.Ints("nodes_truenodeids", 0),
            Build.Ints("nodes_falsenodeids", 1), Build.Ints("nodes_trueleafs", 1), Build.Ints("nodes_falseleafs", 1),
            Build.Ints("nodes_missing_value_tracks_true", 1), Build.Ints("leaf_targetids", 0, 0),
            Tensor("leaf_weights", Build.Tensor("", [3f, 4f], 2)), Build.Ints("tree_roots", 0), Build.Int("n_targets", 1),
            Tensor("membership_values", Build.Tensor("", [1f, 2f, float.NaN], 3)));
        Assert.That(y[0].Floats(), Is.EqualTo(new[] { 3f, 4, 3 }));
    }

    [Test]
    public void Trees_that_go_in_a_circle_are_refused()
    {
        Assert.That(
            () => Run("TreeEnsemble", [OnnxTensor.Create([0f], 1, 1)], 1,
                Build.Ints("nodes_featureids", 0), Tensor("nodes_splits", Build.Tensor("", [0f], 1)),
                Tensor("nodes_modes", Build.Tensor("", OnnxElementType.UInt8, [1], [0])), Build.Ints("nodes_truenodeids", 0),
                Build.Ints("nodes_falsenodeids", 0), Build.Ints("nodes_trueleafs", 0), Build.Ints("nodes_falseleafs", 0),
                Build.Ints("leaf_targetids", 0), Tensor("leaf_weights", Build.Tensor("", [3f], 1)), Build.Ints("tree_roots", 0),
                Build.Int("n_targets", 1)),
            Throws.TypeOf<OnnxException>().With.Message.Contains("trees without cycles"));
    }
}
