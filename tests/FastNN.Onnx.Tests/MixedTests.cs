using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Models of which the engine lacks nodes: the rest runs on it, whatever the host's results look like.</summary>
public sealed class MixedTests
{
    private Device _device = null!;

    [OneTimeSetUp]
    public void Open() => _device = Device.Cpu(2);

    [OneTimeTearDown]
    public void Close() => _device.Dispose();

    private static TensorDef Weights(string name, int seed, params int[] dims) =>
        Build.Tensor(name, Build.Random(seed, dims).Floats(), [.. dims.Select(extent => (long)extent)]);

    private static Dictionary<string, OnnxValue> Inputs(params (string Name, OnnxTensor Value)[] inputs) =>
        inputs.ToDictionary(input => input.Name, input => (OnnxValue)input.Value);

    private static void AssertSame(OnnxModel model, OnnxSession session, Dictionary<string, OnnxValue> inputs)
    {
        IReadOnlyList<OnnxValue?> wanted = model.Evaluate(inputs), got = session.Run(inputs);
        for (int i = 0; i < wanted.Count; i++)
        {
            var a = (OnnxTensor)wanted[i]!;
            var b = (OnnxTensor)got[i]!;
            Assert.That(b.Dimensions.ToArray(), Is.EqualTo(a.Dimensions.ToArray()));
            Assert.That(b.ElementType, Is.EqualTo(a.ElementType));
            if (a.ElementType == OnnxElementType.Float32)
            {
                Assert.That(b.Floats(), Is.EqualTo(a.Floats()).Within(1e-5));
            }
            else
            {
                Assert.That(b.Bytes().ToArray(), Is.EqualTo(a.Bytes().ToArray()));
            }
        }
    }

    [Test]
    public void One_node_that_the_engine_lacks_is_all_that_the_host_runs()
    {
        using OnnxModel model = Build.Model(17,
                Build.Node("MatMul", "x w1", "a"), Build.Node("Relu", "a", "b"), Build.Node("Det", "b", "d"),
                Build.Node("MatMul", "x w2", "c"), Build.Node("Unsqueeze", "d last", "e"), Build.Node("MatMul", "e w3", "f"),
                Build.Node("Tanh", "f", "y"))
            .With(["x"], ["y", "c"])
            .With(Weights("w1", 1, 4, 3), Weights("w2", 2, 4, 5), Weights("w3", 3, 1, 6), Build.Tensor("last", [-1L], 1)).Load();
        using OnnxSession session = model.Compile(_device);
        OnnxTensor x = Build.Random(4, 2, 3, 4);
        AssertSame(model, session, Inputs(("x", x)));
        AssertSame(model, session, Inputs(("x", Build.Random(5, 2, 3, 4))));
        Assert.That(session.HostReason(x), Does.StartWith("Det"));
        Assert.That(session.CountHostNodes(x), Is.EqualTo((1, 7)));
        var outputs = session.CreateOutputs(x);
        session.Run([x], outputs);
        Assert.That(outputs[0].Floats(), Is.EqualTo(model.Evaluate(Inputs(("x", x)))[0].Floats()).Within(1e-5));
    }

    [Test]
    public void Shapes_that_follow_from_values_may_be_others_in_every_run()
    {
        using OnnxModel model = Build.Model(17,
                Build.Node("MatMul", "x w1", "a"), Build.Node("ReduceMax", "a", "m", Build.Ints("axes", 1), Build.Int("keepdims", 0)),
                Build.Node("Greater", "m zero", "g"), Build.Node("NonZero", "g", "p"), Build.Node("Squeeze", "p first", "q"),
                Build.Node("Gather", "a q", "r"), Build.Node("Mul", "r r", "s"), Build.Node("MatMul", "s w2", "t"),
                Build.Node("Relu", "t", "u"), Build.Node("Shape", "u", "n"), Build.Node("ReduceSum", "u", "y", Build.Int("keepdims", 0)))
            .With(["x"], ["u", "n", "y"])
            .With(Weights("w1", 1, 4, 3), Weights("w2", 2, 3, 5), Build.Tensor("zero", [0.5f]),
            Build.Tensor("first", [0L], 1)).Load();
        using OnnxSession session = model.Compile(_device, new OnnxSessionOptions { MaxPlans = 5 });
        for (int i = 0; i < 40; i++)
        {
            AssertSame(model, session, Inputs(("x", Build.Random(i, 12, 4))));
        }

        AssertSame(model, session, Inputs(("x", OnnxTensor.Create(new float[48], 12, 4))));
    }

    [Test]
    public void Extents_that_are_computed_from_values_are_taken_as_they_come()
    {
        using OnnxModel model = Build.Model(17,
                Build.Node("ReduceMax", "k", "m", Build.Int("keepdims", 1)), Build.Node("Concat", "m rest", "s", Build.Int("axis", 0)),
                Build.Node("MatMul", "x w", "a"), Build.Node("Reshape", "a s", "b"), Build.Node("Exp", "b", "y"))
            .With(["x", "k"], ["y"]).With(Weights("w", 1, 4, 6), Build.Tensor("rest", [-1L], 1)).Load();
        using OnnxSession session = model.Compile(_device);
        foreach (long rows in new[] { 2L, 3, 4, 6, 12, 2, 1, 24, 8, 3 })
        {
            AssertSame(model, session, Inputs(("x", Build.Random(1, 4, 4)), ("k", OnnxTensor.Create([rows, 1L], 2))));
        }
    }

    [Test]
    public void Bodies_of_loops_and_branches_run_on_the_engine_where_they_are_worth_it()
    {
        var body = new GraphDef
        {
            Name = "body",
            Nodes =
            [
                Build.Node("MatMul", "h w", "i"), Build.Node("Tanh", "i", "next"), Build.Node("ReduceSum", "next", "sum",
                    Build.Int("keepdims", 0)), Build.Node("Less", "sum limit", "go"), Build.Node("Concat", "list next", "longer",
                    Build.Int("axis", 0)),
            ],
            Inputs = [new ValueDef { Name = "trip" }, new ValueDef { Name = "before" }, new ValueDef { Name = "h" },
                new ValueDef { Name = "list" }],
            Outputs = [new ValueDef { Name = "go" }, new ValueDef { Name = "next" }, new ValueDef { Name = "longer" },
                new ValueDef { Name = "next" }],
        };
        using OnnxModel model = Build.Model(17,
                Build.Node("MatMul", "x w", "h0"),
                Build.Node("Loop", "count yes h0 h0", "last list all", Build.Graph("body", body)))
            .With(["x", "count", "limit"], ["last", "list", "all"]).With(Weights("w", 1, 4, 4),
            Build.Tensor("yes", OnnxElementType.Bool, [], [1])).Load();
        using OnnxSession session = model.Compile(_device);
        foreach ((long count, float limit) in new[] { (3L, 9f), (12, 9), (12, 0.1f), (1, 9), (7, 9) })
        {
            for (int seed = 0; seed < 3; seed++)
            {
                AssertSame(model, session, Inputs(
                    ("x", Build.Random(seed, 2, 4)), ("count", OnnxTensor.Create([count])),
                    ("limit", OnnxTensor.Create([limit]))));
            }
        }
    }

    [Test]
    public void Callers_at_once_share_the_stages()
    {
        using OnnxModel model = Build.Model(17,
                Build.Node("MatMul", "x w1", "a"), Build.Node("Det", "a", "d"), Build.Node("NonZero", "a", "p"),
                Build.Node("Transpose", "p", "q", Build.Ints("perm", 1, 0)), Build.Node("GatherND", "a q", "r"),
                Build.Node("Exp", "r", "e"), Build.Node("ReduceSum", "e", "y", Build.Int("keepdims", 0)))
            .With(["x"], ["d", "y"]).With(Weights("w1", 1, 4, 4)).Load();
        using OnnxSession session = model.Compile(_device, new OnnxSessionOptions { MaxPlans = 2 });
        Parallel.For(0, 48, i => AssertSame(model, session, Inputs(("x", Build.Random(i, 1 + (i % 5), 4, 4)))));
        session.Trim();
        AssertSame(model, session, Inputs(("x", Build.Random(1, 2, 4, 4))));
    }

    [Test]
    public void Keys_and_values_before_the_first_token_have_no_elements()
    {
        using OnnxModel model = Build.Model(17,
                Build.Node("Concat", "past x", "present", Build.Int("axis", 1)),
                Build.Node("Transpose", "present", "t", Build.Ints("perm", 0, 2, 1)), Build.Node("MatMul", "x t", "y"))
            .With(["x", "past"], ["y", "present"]).Load();
        using OnnxSession session = model.Compile(_device);
        foreach (int past in new[] { 0, 3, 0 })
        {
            Dictionary<string, OnnxValue> inputs = Inputs(("x", Build.Random(1, 2, 5, 4)), ("past", Build.Random(2, 2, past, 4)));
            Assert.That(session.HostReason(inputs), Is.Null);
            AssertSame(model, session, inputs);
        }
    }
}
