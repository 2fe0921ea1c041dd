using FastNN.Onnx.Model;
using FastNN.Onnx.Tests.Export;

namespace FastNN.Onnx.Tests;

/// <summary>
/// Poolings of windows that are larger than what they lie over, as those of small images behind many poolings: by the node, on
/// the engine and in ONNX Runtime.
/// </summary>
public sealed class PoolingExtentTests
{
    private Device _device = null!;

    [OneTimeSetUp]
    public void Open() => _device = Device.Cpu(1);

    [OneTimeTearDown]
    public void Close() => _device.Dispose();

    private void Same(string name, long[] kernel, long[] strides, long[] pads, int ceil, params int[] dims)
    {
        ModelDef definition = Build.Model(17, Build.Node(
                name, "x", "y", Build.Ints("kernel_shape", kernel), Build.Ints("strides", strides), Build.Ints("pads", pads),
                Build.Int("ceil_mode", ceil)))
            .Of("x", [.. dims.Select(extent => $"{extent}")]);
        definition.Graph!.Outputs.Add(new ValueDef
        {
            Name = "y",
            Type = new TypeDef { Element = OnnxElementType.Float32 },
        });
        byte[] file = ModelWriter.Write(definition).ToArray();
        using OnnxModel model = OnnxModel.Load(file);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(1, dims) };
        using var peer = new Peer(file, optimizes: false);
        using OnnxSession session = model.Compile(_device);
        OnnxTensor wanted = peer.Run(inputs)[0];
        Assert.That(session.HostReason(inputs), Is.Null);
        foreach (IReadOnlyList<OnnxValue?> got in new[] { model.Evaluate(inputs), session.Run(inputs) })
        {
            Assert.That(got[0]!.ToString(), Is.EqualTo(wanted.ToString()));
            Assert.That(got[0].Floats(), Is.EqualTo(wanted.Floats()).Within(1e-6));
        }
    }

    [Test]
    public void A_window_has_a_place_where_less_than_a_stride_is_missing(
        [Values("MaxPool", "AveragePool")] string name, [Values(0, 1)] int ceil)
    {
        Same(name, [2, 2], [2, 2], [0, 0, 0, 0], ceil, 1, 3, 1, 1);
        Same(name, [2, 2], [2, 2], [0, 0, 0, 0], ceil, 1, 3, 1, 7);
        Same(name, [3, 2], [3, 2], [0, 0, 0, 0], ceil, 2, 3, 6, 1);
        Same(name, [3, 3], [2, 2], [0, 0, 0, 0], ceil, 1, 3, 5, 2);
        Same(name, [4, 4], [3, 3], [1, 0, 0, 0], ceil, 1, 3, 2, 2);
        Same(name, [3], [3], [0, 0], ceil, 1, 3, 1);
        Same(name, [2, 2, 2], [2, 2, 2], [0, 0, 0, 0, 0, 0], ceil, 1, 3, 1, 4, 1);
    }

    [Test]
    public void A_window_has_none_where_a_stride_is_missing()
    {
        using OnnxModel model = Build.Model(17, Build.Node(
                "MaxPool", "x", "y", Build.Ints("kernel_shape", 3, 3), Build.Ints("strides", 2, 2)))
            .Of("x", ["1", "2", "1", "5"]).Of("y", null).Load();
        OnnxValue? y = model.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = Build.Random(1, 1, 2, 1, 5) })[0];
        Assert.That(((OnnxTensor)y!).Dimensions.ToArray(), Is.EqualTo(new[] { 1, 2, 0, 2 }));
    }
}
