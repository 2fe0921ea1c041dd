using FastNN;
using FastNN.Onnx;

namespace Pages;

/// <summary>The code of docs/onnx.md, run as it stands there.</summary>
public sealed class OnnxPageTests
{
    [Test]
    public void A_session_says_what_its_plans_need()
    {
        var layers = new Sequential(new Dense(96, Activation.ReLU), new Dense(64));
        layers.Build(new Shape(32), seed: 1);
        using var stream = new MemoryStream();
        layers.ExportOnnx(stream);
        using OnnxModel model = OnnxModel.Load(stream.ToArray(), "layers");
        using var device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        OnnxMemoryPlan plan = session.MemoryPlan;
        Console.WriteLine(plan);                                             // 640 batch bytes (batch in steps of 32)
        long bytes = plan.Bytes(new Dictionary<string, int> { ["batch"] = 64 });
        Assert.That(plan.ToString(), Is.EqualTo("640 batch bytes (batch in steps of 32)"));
        Assert.That(bytes, Is.EqualTo(640 * 64));
    }
}
