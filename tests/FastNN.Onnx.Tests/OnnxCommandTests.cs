using System.Text.Json;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>`fastnn onnx check, run, bench, optimize` on files, and what they say to wrong command lines.</summary>
public sealed class OnnxCommandTests
{
    private string _folder = null!;
    private string _model = null!;

    [SetUp]
    public void Make()
    {
        _folder = Directory.CreateTempSubdirectory("fastnn-onnx").FullName;
        _model = At("model.onnx");
        ModelDef model = Build.Model(13,
            Build.Node("Conv", "x w", "c", Build.Ints("pads", 1, 1, 1, 1)), Build.Node("BatchNormalization", "c s b m v", "n"),
            Build.Node("Relu", "n", "r"), Build.Node("GlobalAveragePool", "r", "g"), Build.Node("Flatten", "g", "f"),
            Build.Node("Gemm", "f k", "y")).With(["x"], ["y"]).Typed("x", -1, 3, 8, 8).With(
                PassHarness.Weights("w", 1, 4, 3, 3, 3), Build.Tensor("s", [1f, 2, 3, 4], 4), PassHarness.Weights("b", 2, 4),
                PassHarness.Weights("m", 3, 4), Build.Tensor("v", [1f, 2, 1, 2], 4), PassHarness.Weights("k", 4, 4, 2));
        File.WriteAllBytes(_model, ModelWriter.Write(model).ToArray());
        NumpyFile.Write(At("x.npy"), Build.Random(5, 2, 3, 8, 8));
    }

    [TearDown]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = FastNN.Cli.Program.Run(["onnx", .. args], output, error);
        return (code, output.ToString(), error.ToString());
    }

    [Test]
    public void Check_says_sizes_and_work()
    {
        (int code, string output, _) = Run("check", _model, "--shape", "x=2x3x8x8");
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.Contain("6 nodes, 132 parameters in 0.00 MB"));

        // The convolution: 2 x 2 x 64 places x 4 filters x 27, its sums per image and channel, the product: 2 x 2 x 4 x 2.
        Assert.That(output, Does.Match(@"0\.0[23]\d* MFLOP for a run with x FLOAT\[2, 3, 8, 8\]; runs on the engine"));
    }

    [Test]
    public void Run_reads_and_writes_arrays()
    {
        (int code, string output, string error) = Run("run", _model, "--input", $"x={At("x.npy")}", "--output",
            $"y={At("y.npy")}");
        Assert.That((code, error), Is.EqualTo((0, "")));
        Assert.That(output, Does.StartWith("y: FLOAT[2, 2], "));
        using OnnxModel model = OnnxModel.Load(_model);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = NumpyFile.Read(At("x.npy")) };
        float[] wanted = model.Evaluate(inputs)[0].Floats(), got = NumpyFile.Read(At("y.npy")).Floats();
        Assert.That(got, Is.EqualTo(wanted).Within(1e-4));
        NumpyFile.WriteArchive(At("all.npz"), new Dictionary<string, OnnxTensor> { ["x"] = (OnnxTensor)inputs["x"] });
        Assert.That(Run("run", _model, "--input", At("all.npz"), "--out", At("results")).Code, Is.Zero);
        Assert.That(NumpyFile.Read(Path.Combine(At("results"), "y.npy")).Floats(), Is.EqualTo(got));
    }

    [TestCase("z", "the model has no input 'z'; its inputs are x: FLOAT[x_0, 3, 8, 8]", 2)]
    [TestCase(null, "expected inputs x: FLOAT[x_0, 3, 8, 8]; got .", 1)]
    public void Wrong_names_are_answered_with_the_signature(string? name, string message, int code)
    {
        string[] input = name is null ? [] : ["--input", $"{name}={At("x.npy")}"];
        (int got, _, string error) = Run(["run", _model, .. input]);
        Assert.That(error, Does.Contain(message));
        Assert.That(got, Is.EqualTo(code));
    }

    [Test]
    public void Wrong_types_and_ranks_are_answered_with_both_signatures()
    {
        NumpyFile.Write(At("d.npy"), OnnxTensor.Create(new double[4], 4));
        (int code, _, string error) = Run("run", _model, "--input", $"x={At("d.npy")}");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.Contain("expected inputs x: FLOAT[x_0, 3, 8, 8]; got x: DOUBLE[4]"));
    }

    [Test]
    public void Wrong_outputs_and_missing_files_are_named()
    {
        Assert.That(
            Run("run", _model, "--output", "z=z.npy").Error, Does.Contain("the model has no output 'z'; its outputs are y: "));
        Assert.That(Run("run", _model, "--input", "x").Error, Does.Contain("expected name=file.npy"));
        Assert.That(Run("run", _model, "--input", $"x={At("none.npy")}").Error, Does.Contain("there is no such file"));
        Assert.That(
            Run("bench", _model, "--shape", "x=1x3xax8").Error, Does.Contain("expected extents from 1 on, such as 1x3x224x224"));
        Assert.That(Run("bench", _model, "--trace", At("t.json")).Error, Does.Contain("add --profile"));
    }

    [Test]
    public void Bench_measures_and_profiles()
    {
        (int code, string output, string error) = Run(
            "bench", _model, "--shape", "x=4x3x8x8", "--threads", "1", "--seconds", "0.05", "--profile", "--trace", At("trace.json"),
            "--json", At("bench.json"));
        Assert.That((code, error), Is.EqualTo((0, "")));
        Assert.That(output, Does.Contain("median ").And.Contain("examples/s").And.Contain("Conv2D + ReLU"));
        using JsonDocument figures = JsonDocument.Parse(File.ReadAllBytes(At("bench.json")));
        Assert.That(figures.RootElement.GetProperty("medianMs").GetDouble(), Is.GreaterThan(0));
        Assert.That(figures.RootElement.GetProperty("gigaflop").GetDouble(), Is.EqualTo(4 * 2 * 64 * 4 * 27 / 1e9).Within(5e-6));
        Assert.That(
            figures.RootElement.GetProperty("operators").EnumerateArray().Sum(row => row.GetProperty("share").GetDouble()),
            Is.EqualTo(1).Within(1e-6));
        using JsonDocument trace = JsonDocument.Parse(File.ReadAllBytes(At("trace.json")));
        JsonElement first = trace.RootElement.GetProperty("traceEvents")[0];
        Assert.That(first.GetProperty("ph").GetString(), Is.EqualTo("X"));
        Assert.That(first.GetProperty("dur").GetDouble(), Is.GreaterThanOrEqualTo(0));
    }

    [Test]
    public void Optimize_lists_passes_and_writes_the_model()
    {
        (int code, string output, _) = Run("optimize", _model, At("small.onnx"), "--nodes");
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.Contain("convolutions").And.Contain("BatchNormalization (output 'n')")
            .And.Contain("6 nodes before, 5 behind the passes, opset 13"));
        using OnnxModel before = OnnxModel.Load(_model), after = OnnxModel.Load(At("small.onnx"));
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = NumpyFile.Read(At("x.npy")) };
        Assert.That(after.Evaluate(inputs)[0].Floats(), Is.EqualTo(before.Evaluate(inputs)[0].Floats()).Within(1e-4));
        Assert.That(Run("optimize", _model, "--without", "convolutions").Output, Does.Contain("6 nodes before, 6 behind"));
        Assert.That(Run("optimize", _model, "--without", "gelo").Error, Does.Contain("Did you mean 'gelu'?"));
    }

    [Test]
    public void Optimize_brings_external_weights_into_the_file()
    {
        using (OnnxModel model = OnnxModel.Load(_model))
        {
            ModelDef definition = model.Definition;
            TensorDef weight = definition.Graph!.Initializers[0];
            byte[] bytes = weight.Raw!.Value.Content.Slice(weight.Raw.Value.Offset, (int)weight.Raw.Value.Length).ToArray();
            File.WriteAllBytes(At("weights.bin"), bytes);
            weight.Raw = null;
            weight.External = new Dictionary<string, string> { ["location"] = "weights.bin" };
            File.WriteAllBytes(At("outside.onnx"), ModelWriter.Write(definition).ToArray());
        }

        Directory.CreateDirectory(At("other"));
        string moved = Path.Combine(At("other"), "inside.onnx");
        Assert.That(Run("optimize", At("outside.onnx"), moved, "--without", "convolutions").Code, Is.Zero);
        using OnnxModel before = OnnxModel.Load(_model), after = OnnxModel.Load(moved);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = NumpyFile.Read(At("x.npy")) };
        Assert.That(after.Evaluate(inputs)[0].Floats(), Is.EqualTo(before.Evaluate(inputs)[0].Floats()));
    }

    [Test]
    public void A_measured_session_counts_every_run_of_every_thread()
    {
        using OnnxModel model = OnnxModel.Load(_model);
        using Device device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = NumpyFile.Read(At("x.npy")) };
        float[] wanted = session.Run(inputs)[0].Floats();
        SessionProfile profile = session.Profile(inputs, 7);
        Assert.That(profile.Rows, Is.Not.Empty);
        Assert.That(profile.Rows.Select(row => row.Calls), Has.All.EqualTo(7));
        Assert.That(profile.Rows.Sum(row => row.Share), Is.EqualTo(1).Within(1e-9));
        Assert.That(profile.PeakGigaflops, Is.GreaterThan(0.1));
        Assert.That(profile.ToString(), Does.Contain("Conv2D + ReLU"));
        Assert.That(session.Run(inputs)[0].Floats(), Is.EqualTo(wanted));
    }

    [Test]
    public void A_model_on_the_host_has_no_profile()
    {
        using OnnxModel model = Build.Model(17, Build.Node("Det", "x", "y")).With(["x"], ["y"]).Load();
        using Device device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = OnnxTensor.Create([1f, 2, 3, 4], 2, 2) };
        Assert.That(() => session.Profile(inputs), Throws.TypeOf<OnnxException>().With.Message.Contain("Det (output 'y')"));
        Assert.That(() => session.Profile(inputs, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
