using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>
/// 8-bit networks quantize what each layer gives anew, so an error of one in a sum, or of one rounding in a scale, moves numbers
/// by a step in every layer behind it. Sums below 2^24 and scales are those of the host, bit by bit.
/// </summary>
public sealed class IntegerExactnessTests
{
    // From 16 channels and filters on, 3x3 filters of floats go through Winograd's algorithm.
    private const int Channels = 16;

    [TestCase(1)]
    [TestCase(3)]
    public void Convolutions_of_integers_are_exact(int batch)
    {
        using Device device = Device.Cpu(2);
        Compare(TwoLayers(), device, Input(batch));
    }

    [Test]
    public void Convolutions_of_volumes_of_one_plane_are_exact()
    {
        using Device device = Device.Cpu(2);
        ModelDef model = Build.Model(17,
                Build.Node("DynamicQuantizeLinear", "x", "q s z"),
                Build.Node("ConvInteger", "q w z v", "y", Build.Ints("pads", 0, 1, 1, 0, 1, 1)))
            .With(["x"], ["y"])
            .With(Weight("w", 1, 2 * Channels, Channels, 1, 3, 3), Zero("v", 121));
        Compare(model, device, Build.Random(4, 1, Channels, 3, 17, 18));
    }

    [Test]
    public void Scales_are_quotients()
    {
        using Device device = Device.Cpu(1);
        ModelDef model = Build.Model(17, Build.Node("DynamicQuantizeLinear", "x", "q s z")).With(["x"], ["q", "s", "z"]);
        var random = new Random(1);
        for (int i = 0; i < 50; i++)
        {
            float factor = random.NextSingle() * 100;
            Compare(model, device, OnnxTensor.Create(Array.ConvertAll(Build.Random(i, 7, 31).Floats(), x => x * factor), 7, 31));
        }
    }

    /// <summary>Two convolutions of integers, the second of what the first gives, with what they hand on as outputs.</summary>
    internal static ModelDef TwoLayers() => Build.Model(17,
            Build.Node("DynamicQuantizeLinear", "x", "q s z"),
            Build.Node("ConvInteger", "q w z v", "sums", Build.Ints("pads", 1, 1, 1, 1)),
            Build.Node("Cast", "sums", "f", Build.Int("to", 1)), Build.Node("Mul", "f s", "g"), Build.Node("Relu", "g", "h"),
            Build.Node("DynamicQuantizeLinear", "h", "q2 s2 z2"),
            Build.Node("ConvInteger", "q2 w2 z2 v2", "sums2", Build.Ints("pads", 1, 1, 1, 1)))
        .With(["x"], ["sums", "q2", "s2", "z2", "sums2"])
        .With(Weight("w", 1, 2 * Channels, Channels, 3, 3), Zero("v", 143), Weight("w2", 2, Channels, 2 * Channels, 3, 3),
            Zero("v2", 98));

    internal static OnnxTensor Input(int batch) => Build.Random(3, batch, Channels, 17, 18);

    internal static void Compare(ModelDef definition, Device device, OnnxTensor x)
    {
        using OnnxModel model = definition.Load();
        using OnnxSession session = model.Compile(device);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = x };
        Assert.That(session.HostReason(inputs), Is.Null);
        IReadOnlyList<OnnxValue?> wanted = model.Evaluate(inputs);
        for (int run = 0; run < 3; run++)
        {
            IReadOnlyList<OnnxValue?> got = session.Run(inputs);
            for (int i = 0; i < wanted.Count; i++)
            {
                Assert.That(
                    Host.Numbers.Doubles((OnnxTensor)got[i]!), Is.EqualTo(Host.Numbers.Doubles((OnnxTensor)wanted[i]!)),
                    $"{model.Outputs[i].Name}, run {run}");
            }
        }
    }

    private static TensorDef Weight(string name, int seed, params int[] dims) => Build.Tensor(
        name, OnnxElementType.UInt8, [.. dims.Select(extent => (long)extent)],
        Array.ConvertAll(Build.Random(seed, dims).Floats(), value => (byte)Math.Clamp(127 + (value * 127), 0, 255)));

    private static TensorDef Zero(string name, byte value) => Build.Tensor(name, OnnxElementType.UInt8, [], [value]);
}
