using FastNN.Cli.Onnx;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Models on the engine: the numbers of the host, recordings by shape, and what stays on the host.</summary>
public sealed class SessionTests
{
    private Device _device = null!;

    [OneTimeSetUp]
    public void Open() => _device = Device.Cpu(2);

    [OneTimeTearDown]
    public void Close() => _device.Dispose();

    [TestCase("light")]
    [TestCase("node")]
    [TestCase("pytorch-converted")]
    [TestCase("pytorch-operator")]
    [TestCase("simple")]
    public void Cases_of_the_standard_pass_on_the_engine(string folder)
    {
        string data = Environment.GetEnvironmentVariable("FASTNN_ONNX_TESTDATA") is { Length: > 0 } given
            ? given
            : throw new IgnoreException("the ONNX standard's cases are not here; tests/fetch-onnx-testdata fetches them");
        Assert.That(
            OnnxCase.In(Path.Combine(data, folder)).Select(one => one.Run(_device)).Where(result => result.Status == "failed"),
                Is.Empty);
    }

    /// <summary>Two convolutions with batch normalization, pooling, flattening and a dense layer, for any batch.</summary>
    private static ModelDef Network()
    {
        TensorDef Random(string name, int seed, params int[] dims) =>
            Build.Tensor(name, Build.Random(seed, dims).Floats(), [.. dims.Select(extent => (long)extent)]);
        TensorDef Positive(string name, int seed, int count) =>
            Build.Tensor(name, [.. Build.Random(seed, count).Floats().Select(value => value + 1.5f)], count);
        ModelDef model = Build.Model(17,
            Build.Node("Conv", "x w1 b1", "c1", Build.Ints("pads", 1, 1, 1, 1)),
            Build.Node("BatchNormalization", "c1 s m r v", "n1"),
            Build.Node("Relu", "n1", "a1"),
            Build.Node("MaxPool", "a1", "p1", Build.Ints("kernel_shape", 2, 2), Build.Ints("strides", 2, 2)),
            Build.Node("Conv", "p1 w2", "c2", Build.Ints("strides", 2, 1), Build.Int("group", 2)),
            Build.Node("Sigmoid", "c2", "g2"),
            Build.Node("Mul", "c2 g2", "a2"),
            Build.Node("Shape", "a2", "shape"),
            Build.Node("Gather", "shape zero", "batch", Build.Int("axis", 0)),
            Build.Node("Unsqueeze", "batch zeros", "batches"),
            Build.Node("Concat", "batches rest", "flat", Build.Int("axis", 0)),
            Build.Node("Reshape", "a2 flat", "f"),
            Build.Node("Gemm", "f w3 b3", "y", Build.Int("transB", 1)));
        return model.With(["x"], ["y"]).With(
            Random("w1", 1, 8, 3, 3, 3), Random("b1", 2, 8), Positive("s", 3, 8), Random("m", 4, 8), Random("r", 5, 8),
                Positive("v", 6, 8),
            Random("w2", 7, 6, 4, 3, 3), Build.Tensor("zero", [0L]), Build.Tensor("zeros", [0L], 1),
                Build.Tensor("rest", [-1L], 1),
            Random("w3", 8, 5, 6 * 2 * 4), Random("b3", 9, 5));
    }

    [Test]
    public void A_network_gives_the_hosts_numbers_for_every_batch()
    {
        using OnnxModel model = Network().Load();
        using OnnxSession session = model.Compile(_device, new OnnxSessionOptions { MaxPlans = 2 });
        foreach (int batch in new[] { 1, 3, 7, 1, 3 })
        {
            var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(batch, batch, 3, 12, 12) };
            Assert.That(session.HostReason(inputs), Is.Null);
            float[] wanted = model.Evaluate(inputs)[0].Floats(), got = session.Run(inputs)[0].Floats();
            for (int i = 0; i < wanted.Length; i++)
            {
                Assert.That(got[i], Is.EqualTo(wanted[i]).Within(1e-3f * (1 + Math.Abs(wanted[i]))));
            }
        }
    }

    [Test]
    public void Callers_at_once_get_their_own_answers()
    {
        using OnnxModel model = Network().Load();
        using OnnxSession session = model.Compile(_device);
        Parallel.For(0, 32, i =>
        {
            var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(i, 1 + (i % 3), 3, 12, 12) };
            float[] wanted = model.Evaluate(inputs)[0].Floats(), got = session.Run(inputs)[0].Floats();
            Assert.That(got.Zip(wanted, (a, b) => Math.Abs(a - b) / (1 + Math.Abs(b))).Max(), Is.LessThan(1e-3));
        });
    }

    [Test]
    public void A_branch_on_an_input_is_taken_while_recording()
    {
        GraphDef Branch(string name) => new()
        {
            Name = name,
            Nodes = [Build.Node(name, "x", "r")],
            Outputs = [new ValueDef { Name = "r" }],
        };
        using OnnxModel model = Build.Model(17,
                Build.Node("Equal", "rate sixteen", "c"),
                Build.Node("If", "c", "y", Build.Graph("then_branch", Branch("Neg")), Build.Graph("else_branch", Branch("Exp"))))
            .With(["x", "rate"], ["y"]).With(Build.Tensor("sixteen", [16000L])).Load();
        using OnnxSession session = model.Compile(_device);
        foreach ((long rate, float wanted) in new[] { (16000L, -1f), (8000L, MathF.E), (16000L, -1f) })
        {
            var inputs = new Dictionary<string, OnnxValue>
            {
                ["x"] = OnnxTensor.Create([1f], 1),
                ["rate"] = OnnxTensor.Create([rate]),
            };
            Assert.That(session.HostReason(inputs), Is.Null);
            Assert.That(session.Run(inputs)[0].Floats()[0], Is.EqualTo(wanted).Within(1e-6));
        }
    }

    [Test]
    public void What_the_engine_lacks_runs_on_the_host_and_is_named()
    {
        using OnnxModel model = Build.Model(17, Build.Node("Det", "x", "y")).With(["x"], ["y"]).Load();
        using OnnxSession session = model.Compile(_device);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = OnnxTensor.Create([1f, 2, 3, 4], 2, 2) };
        Assert.That(session.HostReason(inputs), Is.EqualTo("Det (output 'y')"));
        Assert.That(session.Run(inputs)[0].Floats()[0], Is.EqualTo(-2).Within(1e-6));
    }
}
