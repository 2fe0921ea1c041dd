using FastNN.Cli.Commands;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests.Export;

/// <summary>Files whose weights are in a second one, NAME.data: the standard's external data.</summary>
public sealed class ExternalDataTests
{
    private string _folder = "";

    [SetUp]
    public void Make() => _folder = Directory.CreateTempSubdirectory("fastnn-onnx-").FullName;

    [TearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private static Sequential Network()
    {
        var model = new Sequential(
            new Conv2D(40, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(), new Dense(33, Activation.ReLU), new Dense(5));
        model.Build(new Shape(14, 14, 8), seed: 4);
        return model;
    }

    private static byte[] Inline(Sequential model)
    {
        using var stream = new MemoryStream();
        model.ExportOnnx(stream);
        return stream.ToArray();
    }

    private static Dictionary<string, OnnxValue> Inputs => new() { ["input"] = Build.Random(1, 3, 8, 14, 14) };

    private static float[] Answer(OnnxModel model) => ((OnnxTensor)model.Evaluate(Inputs)[0]!).Floats();

    [TestCase(true, long.MaxValue, TestName = "Weights_go_to_a_second_file_where_that_is_asked_for")]
    [TestCase(false, 20_000, TestName = "Weights_go_to_a_second_file_where_one_is_too_small")]
    public void Weights_go_to_a_second_file(bool asked, long limit)
    {
        Sequential model = Network();
        model.ExportOnnx(At("net.onnx"), options: new OnnxExportOptions { ExternalData = asked, InlineLimit = limit });
        byte[] inline = Inline(model);
        Assert.That(Directory.GetFiles(_folder).Select(Path.GetFileName), Is.EquivalentTo(new[] { "net.onnx", "net.onnx.data" }));
        Assert.That(new FileInfo(At("net.onnx")).Length, Is.LessThan(5000));
        using OnnxModel whole = OnnxModel.Load(inline, "inline"), file = OnnxModel.Load(At("net.onnx"));
        TensorDef[] outside = [.. file.Definition.Graph!.Initializers.Where(tensor => tensor.External is not null)];
        Assert.That(outside, Has.Length.EqualTo(2));
        foreach (TensorDef tensor in outside)
        {
            Assert.That(tensor.External!["location"], Is.EqualTo("net.onnx.data"));
            Assert.That(long.Parse(tensor.External["offset"], System.Globalization.CultureInfo.InvariantCulture) % 4096, Is.Zero);
        }

        Assert.That(Answer(file), Is.EqualTo(Answer(whole)));
        using var device = Device.Cpu(2);
        using OnnxSession one = whole.Compile(device), two = file.Compile(device);
        Assert.That(((OnnxTensor)two.Run(Inputs)[0]!).Floats(), Is.EqualTo(((OnnxTensor)one.Run(Inputs)[0]!).Floats()));
        using Peer peer = new(inline, optimizes: true), beside = new(At("net.onnx"));
        Assert.That(beside.Run(Inputs)[0].Floats(), Is.EqualTo(peer.Run(Inputs)[0].Floats()));
    }

    [Test]
    public void What_fits_stays_in_one_file()
    {
        Network().ExportOnnx(At("net.onnx"));
        Assert.That(Directory.GetFiles(_folder).Select(Path.GetFileName), Is.EqualTo(new[] { "net.onnx" }));
    }

    /// <summary>Neither a half-written file nor a temporary one stays, and an older pair still answers.</summary>
    [Test]
    public void Where_the_second_file_cannot_be_written_the_first_stays_as_it_was()
    {
        Sequential model = Network();
        File.WriteAllText(At("net.onnx"), "older");
        Directory.CreateDirectory(At("net.onnx.data"));
        Assert.That(
            () => model.ExportOnnx(At("net.onnx"), options: new OnnxExportOptions { ExternalData = true }),
            Throws.InstanceOf<IOException>().With.Message.Contains("net.onnx.data"));
        Assert.That(File.ReadAllText(At("net.onnx")), Is.EqualTo("older"));
        Assert.That(Directory.GetFiles(_folder), Has.Length.EqualTo(1));
    }

    [Test]
    public void An_optimized_model_is_written_so_too_even_over_itself()
    {
        Network().ExportOnnx(At("net.onnx"), options: new OnnxExportOptions { ExternalData = true });
        using (OnnxModel before = OnnxModel.Load(At("net.onnx")))
        {
            float[] wanted = Answer(before);
            OnnxOptimization optimized = before.Optimize();
            optimized.Save(At("small.onnx"));
            Assert.That(File.Exists(At("small.onnx.data")), Is.False);
            optimized.Save(At("net.onnx"), externalData: false, limit: 20_000);
            using OnnxModel small = OnnxModel.Load(At("small.onnx")), again = OnnxModel.Load(At("net.onnx"));
            Assert.That(Answer(small), Is.EqualTo(wanted).Within(1e-5));
            Assert.That(Answer(again), Is.EqualTo(Answer(small)));
            Assert.That(again.Definition.Graph!.Initializers.Exists(tensor => tensor.External is not null));
        }
    }

    /// <summary>Elements in a typed list, as some writers have them, go out as bytes.</summary>
    [Test]
    public void Elements_in_lists_go_to_the_second_file_as_bytes()
    {
        float[] values = [.. Enumerable.Range(0, 400).Select(i => i - 7.5f)];
        TensorDef raw = Build.Tensor("w", values, 400);
        var listed = new TensorDef { Name = "w", Type = OnnxElementType.Float32, Content = raw.Content };
        listed.Dims.Add(400);
        listed.Lists.Add((4, raw.Raw!.Value));
        ModelDef model = Build.Model(17, Build.Node("Add", "x w", "y")).With(["x"], ["y"]).With([listed]);
        ModelStorage.Save(model, At("lists.onnx"), external: true, ModelStorage.MostBytes, "test");
        Assert.That(new FileInfo(At("lists.onnx.data")).Length, Is.EqualTo(1600));
        using OnnxModel file = OnnxModel.Load(At("lists.onnx"));
        OnnxTensor x = OnnxTensor.Create(new float[400], 400);
        var answer = (OnnxTensor)file.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = x })[0]!;
        Assert.That(answer.Floats(), Is.EqualTo(values));
    }

    [Test]
    [Explicit("It writes 2.4 GB and takes 10 GB of memory.")]
    public void More_than_protobuf_holds_is_written_and_read_back()
    {
        const int width = 10_000;
        Layer[] layers = [.. Enumerable.Range(0, 6).Select(_ => new Dense(width, Activation.Tanh))];
        OnnxTensor x = Build.Random(1, 2, width);
        float[] wanted = new float[2 * width];
        var model = new Sequential(layers);
        model.Build(new Shape(width), seed: 5);
        model.ExportOnnx(At("large.onnx"));
        using var device = Device.Cpu(2);
        using (Session session = model.CreateSession(device))
        {
            session.Run(x.Floats(), wanted);
        }

        Assert.That(new FileInfo(At("large.onnx")).Length, Is.LessThan(1 << 20));
        Assert.That(new FileInfo(At("large.onnx.data")).Length, Is.GreaterThan(1L << 31));
        var inputs = new Dictionary<string, OnnxValue> { ["input"] = x };
        using (OnnxModel file = OnnxModel.Load(At("large.onnx")))
        {
            using OnnxSession session = file.Compile(device);
            Assert.That(session.Run(inputs)[0].Floats(), Is.EqualTo(wanted).Within(1e-4));
        }

        using var peer = new Peer(At("large.onnx"));
        Assert.That(peer.Run(inputs)[0].Floats(), Is.EqualTo(wanted).Within(1e-4));
    }

    [Test]
    public void The_command_line_writes_it_and_says_so()
    {
        (int code, string output) = Run("export", "mnist-mlp", At("out.onnx"), "--external-data");
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.Contain("in " + At("out.onnx.data")));
        (code, output) = Run("optimize", At("out.onnx"), At("small.onnx"), "--external-data");
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.Contain("in " + At("small.onnx.data")));
    }

    private static (int Code, string Output) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        int code = CommandLine.Invoke(["onnx", .. arguments], output, output, CancellationToken.None);
        return (code, output.ToString());
    }
}
