using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Chains of operators reach the engine's fused operators, and give the host's numbers.</summary>
public sealed class ChainTests
{
    private static TensorDef Positive(string name, int seed, int count) =>
        Build.Tensor(name, [.. Build.Random(seed, count).Floats().Select(value => value + 1.5f)], count);

    /// <summary>A convolution, batch normalization, a residual connection and an activation.</summary>
    private static ModelDef Residual(int kernel, int channels, int groups, bool addendFirst, bool isReadLater)
    {
        int pad = kernel / 2;
        NodeDef[] tail = isReadLater
            ? [Build.Node("Relu", "sum", "y0"), Build.Node("Mul", "y0 a", "y")]
            : [Build.Node("Relu", "sum", "y")];
        return Build.Model(13,
        [
            Build.Node("Exp", "x", "a"),
            Build.Node("Conv", "x w", "c", Build.Ints("pads", pad, pad, pad, pad), Build.Int("group", groups)),
            Build.Node("BatchNormalization", "c s b m v", "n"), Build.Node("Add", addendFirst ? "a n" : "n a", "sum"), .. tail,
        ]).With(["x"], ["y"]).Typed("x", -1, channels, -1, -1).With(
            PassHarness.Weights("w", 1, channels, channels / groups, kernel, kernel), Positive("s", 2, channels),
            PassHarness.Weights("b", 3, channels), PassHarness.Weights("m", 4, channels), Positive("v", 5, channels));
    }

    [Test]
    public void Convolutions_take_batch_normalization_addition_and_activation(
        [Values(1, 3, 5)] int kernel, [Values(3, 16, 33)] int channels, [Values] bool addendFirst, [Values] bool isReadLater) =>
        CheckResidual(kernel, channels, 1, addendFirst, isReadLater, 9, 13);

    [Test]
    public void Convolutions_of_channels_apart_take_them_too([Values(3, 5)] int kernel, [Values(8, 32)] int channels) =>
        CheckResidual(kernel, channels, channels, addendFirst: false, isReadLater: false, 12, 16);

    [Test]
    public void Large_convolutions_take_them_too([Values(1, 3)] int kernel) =>
        CheckResidual(kernel, 64, 1, addendFirst: false, isReadLater: false, 28, 28);

    private static void CheckResidual(
        int kernel, int channels, int groups, bool addendFirst, bool isReadLater, int height, int width)
    {
        using OnnxModel model = Residual(kernel, channels, groups, addendFirst, isReadLater).Load();
        using Device device = Device.Cpu(2);
        using OnnxSession session = model.Compile(device);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(7, 2, channels, height, width) };
        float[] wanted = model.Evaluate(inputs)[0].Floats(), got = session.Run(inputs)[0].Floats();
        double scale = wanted.Max(Math.Abs);
        for (int i = 0; i < wanted.Length; i++)
        {
            Assert.That(got[i], Is.EqualTo(wanted[i]).Within(1e-4 * (1 + scale)), $"{i}");
        }

        Assert.That(
            session.Profile(inputs, 1).Rows.Select(row => row.Operator).Where(name => name is "Add" or "ReLU"), Is.Empty);
    }

    [Test]
    public void A_convolution_of_what_is_added_to_it_does_not_write_over_its_input()
    {
        foreach (int kernel in new[] { 1, 3 })
        {
            ModelDef definition = Build.Model(13,
                Build.Node("Exp", "x", "a"), Build.Node("Conv", "a w", "c", Build.Ints("pads", kernel / 2, kernel / 2, kernel / 2,
                    kernel / 2)),
                Build.Node("Add", "c a", "s"), Build.Node("Relu", "s", "y")).With(["x"], ["y"]).Typed("x", 1, 4, 6, 6)
                .With(PassHarness.Weights("w", 1, 4, 4, kernel, kernel));
            PassHarness.Check(
                definition, "Add Conv Exp Relu", new Dictionary<string, OnnxValue> { ["x"] = Build.Random(3, 1, 4, 6, 6) });
        }
    }

    [Test]
    public void Products_of_any_rank_bring_bias_and_activation()
    {
        using OnnxModel model = Build.Model(20,
            Build.Node("MatMul", "x w", "p"), Build.Node("Add", "b p", "a"), Build.Node("Gelu", "a", "y"))
            .With(["x"], ["y"]).Typed("x", -1, -1, 7).With(PassHarness.Weights("w", 1, 7, 5), PassHarness.Weights("b", 2,
                5)).Load();
        using Device device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(7, 2, 3, 7) };
        Assert.That(session.Profile(inputs, 1).Rows.Select(row => row.Operator), Is.EqualTo(new[] { "Dense + Gelu" }));
        Assert.That(session.Run(inputs)[0].Floats(), Is.EqualTo(model.Evaluate(inputs)[0].Floats()).Within(1e-5));
    }
}
