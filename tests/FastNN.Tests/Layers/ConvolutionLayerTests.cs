using FastNN.Formats;
using FastNN.Tensors;
using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>
/// Convolutions as layers: all attributes come back from files, whose parameters are named and shaped as PyTorch's.
/// </summary>
internal sealed class ConvolutionLayerTests : TrainingFixture
{
    private static readonly string[] One = ["0.bias", "0.weight"];

    private static IEnumerable<TestCaseData> Layers()
    {
        static TestCaseData Case(Layer layer, Shape example, string text, string[] names, params int[] weight) =>
            new TestCaseData(layer, example, text, names, weight).SetArgDisplayNames(text);

        yield return Case(
            new Conv1D(6, 3, Activation.ReLU) { Stride = 2, Padding = Padding1D.Explicit(1, 2), Dilation = 2, Groups = 2 },
            new Shape(13, 4),
            "Conv1D(filters: 6, kernel: 3, activation: ReLU, stride: 2, padding: [1, 2], dilation: 2, groups: 2)", One, 6, 2, 3);
        yield return Case(
            new Conv1D(5, 4) { Padding = Padding1D.Same, UseBias = false }, new Shape(7, 3),
            "Conv1D(filters: 5, kernel: 4, padding: same, useBias: false)", ["0.weight"], 5, 3, 4);
        yield return Case(
            new Conv3D(6, (2, 3, 1)) { Stride = (1, 2, 1), Padding = (1, 0, 0), Dilation = (2, 1, 1), Groups = 3 },
            new Shape(4, 5, 3, 6),
            "Conv3D(filters: 6, kernel: [2, 3, 1], stride: [1, 2, 1], padding: [1, 1, 0, 0, 0, 0], dilation: [2, 1, 1], "
            + "groups: 3)",
            One, 6, 2, 2, 3, 1);
        yield return Case(
            new Conv3D(2, 3) { Padding = Padding3D.Same, WeightRegularizer = Regularizer.L1L2(0.5f, 0.25f) },
            new Shape(4, 5, 3, 1), "Conv3D(filters: 2, kernel: 3, padding: same, l1: 0.5, l2: 0.25)", One, 2, 1, 3, 3, 3);
        yield return Case(
            new ConvTranspose1D(6, 4, Activation.Tanh) { Stride = 3, Padding = 1, OutputPadding = 2, Groups = 2 },
            new Shape(5, 4),
            "ConvTranspose1D(filters: 6, kernel: 4, activation: Tanh, stride: 3, padding: 1, outputPadding: 2, groups: 2)", One,
            4, 3, 4);
        yield return Case(
            new ConvTranspose2D(3, (3, 2)) { Stride = 2, OutputPadding = (1, 0), Dilation = (2, 1), UseBias = false },
            new Shape(5, 4, 2),
            "ConvTranspose2D(filters: 3, kernel: [3, 2], stride: 2, outputPadding: [1, 0], dilation: [2, 1], useBias: false)",
            ["0.weight"], 2, 3, 3, 2);
        yield return Case(
            new ConvTranspose3D(3, (1, 2, 3)) { Stride = (1, 2, 2), Padding = (0, 0, 1), OutputPadding = (0, 1, 0) },
            new Shape(2, 3, 3, 2),
            "ConvTranspose3D(filters: 3, kernel: [1, 2, 3], stride: [1, 2, 2], padding: [0, 0, 1], outputPadding: [0, 1, 0])",
            One, 2, 3, 1, 2, 3);
        yield return Case(
            new DepthwiseConv2D((3, 2), Activation.ReLU) { Multiplier = 2, Stride = 2, Padding = Padding2D.Same },
            new Shape(7, 6, 3),
            "DepthwiseConv2D(kernel: [3, 2], activation: ReLU, multiplier: 2, stride: 2, padding: same)", One, 6, 1, 3, 2);
        yield return Case(
            new SeparableConv2D(5, 3, Activation.ReLU) { Multiplier = 2, Padding = 1, BiasInitializer = Initializer.Constant(1) },
            new Shape(7, 6, 3),
            "SeparableConv2D(filters: 5, kernel: 3, activation: ReLU, multiplier: 2, padding: [1, 1, 1, 1], "
            + "biasInitializer: Constant(1))",
            ["0.depthwise.weight", "0.pointwise.bias", "0.pointwise.weight"], 6, 1, 3, 3);
        yield return Case(
            new Unfold((3, 2)) { Stride = 2, Padding = 1, Dilation = (1, 2) }, new Shape(7, 6, 3),
            "Unfold(kernel: [3, 2], stride: 2, padding: [1, 1, 1, 1], dilation: [1, 2])", []);
        yield return Case(
            new Fold((5, 4), 2) { Padding = (1, 0) }, new Shape(18, 12),
            "Fold(output: [5, 4], kernel: 2, padding: [1, 1, 0, 0])", []);
    }

    [TestCaseSource(nameof(Layers))]
    public void A_layer_comes_back_with_its_attributes_and_parameters(
        Layer layer, Shape example, string text, string[] names, int[] weight)
    {
        var model = new Sequential(layer);
        model.Build(example, seed: 3);
        model.Save(PathOf("m.safetensors"));
        Model loaded = Model.Load(PathOf("m.safetensors"));
        using SafetensorsReader reader = SafetensorsReader.Open(PathOf("m.safetensors"));
        Assert.Multiple(() =>
        {
            Assert.That(layer.ToString(), Is.EqualTo(text));
            Assert.That(((Sequential)loaded.Wrapped!).Layers[0].ToString(), Is.EqualTo(text));
            Assert.That(model.NamedParameters.Select(named => named.Name).Order(StringComparer.Ordinal), Is.EqualTo(names));
            foreach (string name in names.Where(name => name.EndsWith("weight", StringComparison.Ordinal)).Take(1))
            {
                Assert.That(reader.Find(name).Shape.ToArray(), Is.EqualTo(weight));
            }
        });
        var x = new float[3 * example.Count];
        Philox.FillUniform(x, 1, 1);
        using Predictor a = model.CreatePredictor(Device), b = loaded.CreatePredictor(Device);
        Near.SameBits(a.Predict(x), b.Predict(x));
    }

    [Test]
    public void Filters_of_every_rank_are_ordered_as_PyTorch_has_them()
    {
        var model = new Sequential(new ConvTranspose3D(5, (2, 3, 4)));
        model.Build(new Shape(2, 2, 2, 7), seed: 5);
        model.Save(PathOf("m.safetensors"));
        using SafetensorsReader reader = SafetensorsReader.Open(PathOf("m.safetensors"));
        float[] filter = [.. Toy.Parameters(model).Take(2 * 3 * 4 * 5 * 7)], inFile = reader.ReadSingles("0.weight");
        for (int i = 0; i < inFile.Length; i++)
        {
            (int c, int o, int tap) = (i / 120, i / 24 % 5, i % 24);
            Assert.That(inFile[i], Is.EqualTo(filter[(((tap * 5) + o) * 7) + c]));
        }
    }

    [Test]
    public void A_dense_weight_behind_a_flattened_volume_is_ordered_as_PyTorch_flattens_it()
    {
        var model = new Sequential(new Conv3D(3, 1) { UseBias = false }, new Flatten(), new Dense(2) { UseBias = false });
        model.Build(new Shape(2, 4, 5, 1), seed: 5);
        model.Save(PathOf("m.safetensors"));
        using SafetensorsReader reader = SafetensorsReader.Open(PathOf("m.safetensors"));
        float[] dense = [.. Toy.Parameters(model).Skip(3)], inFile = reader.ReadSingles("2.weight");
        for (int i = 0; i < inFile.Length; i++)
        {
            (int o, int c, int place) = (i / 120, i / 40 % 3, i % 40);
            Assert.That(inFile[i], Is.EqualTo(dense[(((place * 3) + c) * 2) + o]));
        }
    }

    [Test]
    public void Inputs_that_do_not_fit_are_named() => Assert.Multiple(() =>
    {
        Assert.That(
            () => new Conv1D(4, 3).Build(new Shape(8, 8, 3)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Conv1D: expected a batch of sequences [N, L, C]"));
        Assert.That(
            () => new Conv3D(4, 3).Build(new Shape(8, 8, 3)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Conv3D: expected a batch of volumes [N, D, H, W, C]"));
        Assert.That(
            () => new ConvTranspose2D(4, 3) { Groups = 3 }.Build(new Shape(8, 8, 6)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("3 groups do not divide 6 channels and 4 filters"));
        Assert.That(
            () => new DepthwiseConv2D(3) { Multiplier = 0 }.Build(new Shape(8, 8, 6)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("multiplier").And.Message.Contains("got 0"));
        Assert.That(
            () => new SeparableConv2D(3, 9).Build(new Shape(8, 8, 6)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("height of 9"));
        Assert.That(() => new Conv3D(4, (3, 0, 3)), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("kernel"));
        Assert.That(
            () => new ConvTranspose1D(0, 3), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("filters"));
    });
}
