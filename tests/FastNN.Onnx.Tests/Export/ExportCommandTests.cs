using FastNN.Cli;
using FastNN.Cli.Commands;

namespace FastNN.Onnx.Tests.Export;

/// <summary>`fastnn onnx export`</summary>
public sealed class ExportCommandTests
{
    private string _folder = "";

    [SetUp]
    public void Make() => _folder = Directory.CreateTempSubdirectory("fastnn-onnx-").FullName;

    [TearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private static (int Code, string Output) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        int code = CommandLine.Invoke(arguments, output, output, CancellationToken.None);
        return (code, output.ToString());
    }

    [Test]
    public void A_recipe_is_written_with_its_weights()
    {
        var model = new Sequential(new Flatten(), new Dense(64, Activation.ReLU), new Dense(10));
        model.Build(new Shape(28, 28, 1), seed: 9);
        model.SaveWeights(At("weights.safetensors"));
        (int code, string output) = Run(
            "onnx", "export", "mnist-mlp", At("out.onnx"), "--weights", At("weights.safetensors"), "--opset", "19");
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.Contain("opset 19"));
        using OnnxModel file = OnnxModel.Load(At("out.onnx"));
        Assert.That(file.Opsets[""], Is.EqualTo(19));
        OnnxTensor image = Build.Random(1, 1, 1, 28, 28);
        float[] got = file.Evaluate(new Dictionary<string, OnnxValue> { ["input"] = image })[0].Floats(), wanted = new float[10];
        using var device = Device.Cpu(1);
        using Session session = model.CreateSession(device);
        session.Run(image.Floats(), wanted);
        Assert.That(got, Is.EqualTo(wanted).Within(1e-5));
    }

    [TestCase("--opset: expected 17 to 21, got 22", "mnist-mlp", "out.onnx", "--opset", "22")]
    [TestCase("There is no recipe 'mnist-mpl'. Did you mean 'mnist-mlp'?", "mnist-mpl", "out.onnx")]
    public void Wrong_arguments_are_refused(string message, params string[] arguments) => Assert.That(
        () => Run(["onnx", "export", .. arguments]),
        Throws.TypeOf<CliException>().With.Message.Contains(message).And.Property(nameof(CliException.ExitCode)).EqualTo(2));
}
