using FastNN.Onnx.Model;
using FastNN.Onnx.Tests.Export;

namespace FastNN.Onnx.Tests;

/// <summary>Support vector machines beside ONNX Runtime's.</summary>
public sealed class SupportVectorTests
{
    private const int Features = 4;

    private static readonly long[] PerClass = [3, 2, 4, 3];

    private static float[] Numbers(int seed, int count) => Build.Random(seed, count).Floats();

    private static ModelDef Model(string name, string outputs, params AttributeDef[] attributes) =>
        Build.Classic(1, Build.Node(name, "x", outputs, attributes), Features);

    private static void SameAsPeer(ModelDef model)
    {
        using var peer = new Peer(ModelWriter.Write(model).ToArray(), optimizes: false);
        using OnnxModel loaded = model.Load();
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(5, 31, Features) };
        OnnxTensor[] wanted = peer.Run(inputs);
        IReadOnlyList<OnnxValue?> got = loaded.Evaluate(inputs);
        for (int i = 0; i < wanted.Length; i++)
        {
            var tensor = (OnnxTensor)got[i]!;
            Assert.That(tensor.ToString(), Is.EqualTo(wanted[i].ToString()));
            Assert.That(Host.Numbers.Doubles(tensor), Is.EqualTo(Host.Numbers.Doubles(wanted[i])).Within(2e-5));
        }
    }

    [Test]
    public void Classes_are_told_apart_in_pairs(
        [Values("LINEAR", "RBF", "POLY", "SIGMOID")] string kernel, [Values(2, 3, 4)] int classes, [Values] bool isProbability)
    {
        int vectors = (int)PerClass.Take(classes).Sum(), pairs = classes * (classes - 1) / 2;
        AttributeDef[] attributes =
        [
            Build.Text("kernel_type", kernel), Build.Floats("kernel_params", 0.3f, 0.1f, 3),
            Build.Floats("coefficients", Numbers(1, vectors * (classes - 1))),
            Build.Floats("support_vectors", Numbers(2, vectors * Features)),
            Build.Ints("vectors_per_class", PerClass[..classes]), Build.Floats("rho", Numbers(3, pairs)),
            Build.Ints("classlabels_ints", [.. Enumerable.Range(0, classes).Select(i => 5L + (2 * i))]),
        ];
        AttributeDef[] probabilities = isProbability
            ? [Build.Floats("prob_a", [.. Numbers(4, pairs).Select(value => -1.5f + value)]),
                Build.Floats("prob_b", Numbers(6, pairs))]
            : [];
        SameAsPeer(Model("SVMClassifier", "label scores", [.. attributes, .. probabilities]));
    }

    [Test]
    public void Values_are_estimated([Values("LINEAR", "RBF", "POLY", "SIGMOID")] string kernel, [Values] bool isOneClass) =>
        SameAsPeer(Model("SVMRegressor", "y", Build.Text("kernel_type", kernel), Build.Floats("kernel_params", 0.3f, 0.1f, 2),
            Build.Floats("coefficients", Numbers(1, 6)), Build.Floats("support_vectors", Numbers(2, 6 * Features)),
            Build.Int("n_supports", 6), Build.Floats("rho", 0.2f), Build.Int("one_class", isOneClass ? 1 : 0)));

    [Test]
    public void Without_vectors_coefficients_are_planes()
    {
        SameAsPeer(Model("SVMRegressor", "y", Build.Text("kernel_type", "LINEAR"), Build.Floats("kernel_params", 0, 0, 3),
            Build.Floats("coefficients", Numbers(1, Features)), Build.Floats("rho", 0.2f)));
        using OnnxModel model = Model("SVMClassifier", "label scores", Build.Floats("coefficients", 1, 0, 0, 0, 0, 1, 0, 0),
            Build.Floats("rho", 0.5f), Build.Ints("classlabels_ints", 7, 9)).Load();
        IReadOnlyList<OnnxValue?> y = model.Evaluate(
            new Dictionary<string, OnnxValue> { ["x"] = OnnxTensor.Create([1f, 2, 3, 4], 1, Features) });
        Assert.That(((OnnxTensor)y[0]!).Values<long>().ToArray(), Is.EqualTo(new[] { 9L }));
        Assert.That(y[1].Floats(), Is.EqualTo(new[] { 1.5f, 2.5f }));
    }

    [Test]
    public void Lists_that_do_not_fit_are_refused()
    {
        using OnnxModel model = Model("SVMClassifier", "label scores", Build.Floats("coefficients", 1, 2),
            Build.Floats("support_vectors", Numbers(1, 3 * Features)), Build.Ints("vectors_per_class", 1, 2),
            Build.Floats("rho", 0), Build.Ints("classlabels_ints", 0, 1)).Load();
        Assert.That(() => model.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = Build.Random(1, 2, Features) }),
            Throws.TypeOf<OnnxException>().With.Message.Contains("expected 3 coefficients"));
        using OnnxModel other = Model("SVMClassifier", "label scores", Build.Floats("coefficients", 1, 2),
            Build.Floats("support_vectors", 1, 2, 3, 4), Build.Ints("vectors_per_class", 1, 99),
            Build.Floats("rho", 0), Build.Ints("classlabels_ints", 0, 1)).Load();
        Assert.That(() => other.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = Build.Random(1, 2, Features) }),
            Throws.TypeOf<OnnxException>().With.Message.Contains("as many support vectors as the classes have, got 99"));
    }
}
