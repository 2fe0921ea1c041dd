using FastNN.Onnx.Model;
using FastNN.Onnx.Tests.Export;
using FastNN.Testing;

namespace FastNN.Onnx.Tests;

/// <summary>What a session's plans may hold, and the formula of what they need.</summary>
public sealed class SessionMemoryTests
{
    private Device _device = null!;

    [OneTimeSetUp]
    public void Open() => _device = Device.Cpu(2);

    [OneTimeTearDown]
    public void Close() => _device.Dispose();

    /// <summary>Two layers whose plans are some kilobytes for each example.</summary>
    private static OnnxModel Layers() => Exported(new Sequential(new Dense(96, Activation.ReLU), new Dense(64)), new Shape(32));

    private static OnnxModel Exported(Layer layer, Shape example)
    {
        layer.Build(example, seed: 1);
        using var stream = new MemoryStream();
        layer.ExportOnnx(stream);
        return OnnxModel.Load(stream.ToArray(), "network");
    }

    private static OnnxModel Exported(NetworkCase network)
    {
        using var stream = new MemoryStream();
        network.Make().ExportOnnx(stream);
        return OnnxModel.Load(stream.ToArray(), network.Name);
    }

    private static Dictionary<string, OnnxValue> Inputs(OnnxModel model, params int[] dims) =>
        new() { [model.Inputs[0].Name] = Build.Random(1, dims) };

    private static void Run(OnnxModel model, OnnxSession session, int batch)
    {
        Dictionary<string, OnnxValue> inputs = Inputs(model, batch, 32);
        float[] wanted = model.Evaluate(inputs)[0].Floats(), got = session.Run(inputs)[0].Floats();
        Assert.That(got, Is.EqualTo(wanted).Within(1e-5 * wanted.Max(Math.Abs)), $"batch {batch}");
    }

    [Test]
    public void A_plan_above_the_limit_is_refused_with_limit_shapes_and_bytes()
    {
        using OnnxModel model = Layers();
        using OnnxSession free = model.Compile(_device);
        long bytes = free.PeakBytes(Inputs(model, 48, 32));
        using OnnxSession session = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = bytes - 1 });
        Assert.That(
            () => session.Run(Inputs(model, 48, 32)),
            Throws.TypeOf<OnnxException>().With.Message.Contains($"at most {bytes - 1:N0} bytes")
                .And.Message.Contains($"got {bytes:N0} bytes").And.Message.Contains("FLOAT[48, 32]"));
        Run(model, session, 16);
        using OnnxSession enough = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = bytes });
        Run(model, enough, 48);
    }

    [Test]
    public void Plans_together_stay_within_the_limit_and_the_least_recently_used_goes()
    {
        using OnnxModel model = Layers();
        using OnnxSession free = model.Compile(_device);
        long Bytes(int batch) => free.PeakBytes(Inputs(model, batch, 32));
        long limit = Bytes(16) + Bytes(32);
        using OnnxSession session = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = limit });
        Run(model, session, 16);
        Run(model, session, 32);
        Assert.That(session.PlanBytes, Is.EqualTo(limit), "both fit");

        // 32 was used last, so 16 goes; then both do.
        Run(model, session, 8);
        Assert.That(session.PlanBytes, Is.EqualTo(Bytes(32) + Bytes(8)));
        Run(model, session, 40);
        Assert.That(session.PlanBytes, Is.InRange(Bytes(40), limit));
        session.Trim();
        Assert.That(session.PlanBytes, Is.Zero);
        Run(model, session, 16);
    }

    [Test]
    public void Calls_at_once_wait_where_the_limit_is_one_plan()
    {
        using OnnxModel model = Layers();
        using OnnxSession free = model.Compile(_device);
        long limit = free.PeakBytes(Inputs(model, 24, 32)), most = 0;
        using OnnxSession session = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = limit });
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 6 }, i =>
        {
            Run(model, session, 24 - (i % 3));
            long held = session.PlanBytes;
            for (long seen = Volatile.Read(ref most); held > seen; seen = Volatile.Read(ref most))
            {
                Interlocked.CompareExchange(ref most, held, seen);
            }
        });
        Assert.That(most, Is.InRange(1L, limit));
    }

    [Test]
    public void A_run_within_the_limit_allocates_nothing()
    {
        using OnnxModel model = Layers();
        using OnnxSession session = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = 1 << 20 });
        OnnxTensor[] inputs = [Build.Random(2, 7, 32)], outputs = session.CreateOutputs(inputs);
        Assert.That(Build.AllocatedBy(() => session.Run(inputs, outputs)), Is.Zero);
    }

    [Test]
    public void The_formula_is_that_of_the_plans_of_a_batch()
    {
        using OnnxModel model = Layers();
        using OnnxSession session = model.Compile(_device);
        OnnxMemoryPlan plan = session.MemoryPlan;
        TestContext.Out.WriteLine(plan);

        // 32 floats in, 96 behind the first layer, and 64 out where the input was.
        Assert.That(plan.Formula, Does.Contain(" batch"));
        Assert.That(plan.Symbols, Is.EqualTo(new[] { "batch" }));
        Assert.That(plan.IsExact, Is.True);
        foreach (int batch in new[] { 64, 192, 640 })
        {
            Assert.That(
                plan.Bytes(new Dictionary<string, int> { ["batch"] = batch }),
                Is.EqualTo(session.PeakBytes(Inputs(model, batch, 32))), $"batch {batch}");
        }

        Assert.That(
            plan.Bytes(new Dictionary<string, int> { ["batch"] = 5 }),
            Is.GreaterThanOrEqualTo(session.PeakBytes(Inputs(model, 5, 32))));
        // Of a large batch a few examples at a time.
        Assert.That(
            session.PeakBytes(Inputs(model, 64 * 31, 32)),
            Is.LessThan(plan.Bytes(new Dictionary<string, int> { ["batch"] = 64 * 31 })));
        Assert.That(
            () => plan.Bytes(new Dictionary<string, int>()),
            Throws.ArgumentException.With.Message.Contains("batch"));
    }

    [Test]
    public void Two_symbols_stand_in_products()
    {
        using OnnxModel model = Exported(NetworkCase.Of("GPT", [("ids", [-1], Draw.Indices)],
            x => [new Gpt(vocabulary: 17, width: 8, layers: 2, heads: 2, context: 256).Apply(x[0])]));
        using OnnxSession session = model.Compile(_device);
        OnnxMemoryPlan plan = session.MemoryPlan;
        TestContext.Out.WriteLine(plan);
        Assert.That(plan.Symbols, Is.EqualTo(new[] { "batch", "length" }));
        Assert.That(plan.IsExact, Is.True);
        Assert.That(plan.Formula, Does.Contain(" batch length"));
        foreach ((int batch, int length) in new[] { (32, 32), (64, 192), (32, 256), (192, 64) })
        {
            var ids = OnnxTensor.Create(new int[batch * length], batch, length);
            Assert.That(
                plan.Bytes(new Dictionary<string, int> { ["batch"] = batch, ["length"] = length }),
                Is.EqualTo(session.PeakBytes(new Dictionary<string, OnnxValue> { ["ids"] = ids })), $"{batch} x {length}");
        }
    }

    [Test]
    public void Extents_without_a_name_and_values_that_steer_are_given()
    {
        ModelDef definition = Build.Model(17,
            Build.Node("Equal", "rate sixteen", "c"),
            Build.Node("If", "c", "y",
                Build.Graph("then_branch", Branch("Neg")), Build.Graph("else_branch", Branch("Exp"))));
        definition.Of("x", ["batch", "?"]).Graph!.Inputs.Add(new ValueDef { Name = "rate" });
        definition.Of("y", null).With(Build.Tensor("sixteen", [16000L]));
        using OnnxModel model = definition.Load();
        using OnnxSession session = model.Compile(_device);
        Assert.That(
            () => session.MemoryPlan, Throws.TypeOf<OnnxException>().With.Message.Contains("rate").And.Message.Contains("plan"));
        var given = new Dictionary<string, OnnxValue>
        {
            ["x"] = OnnxTensor.Create(new float[48], 1, 48),
            ["rate"] = OnnxTensor.Create([16000L]),
        };
        OnnxMemoryPlan plan = session.PlanMemory(given);
        Assert.That(plan.Formula, Does.Match("^[0-9,]+ batch$"), plan.ToString());
        Assert.That(plan.Symbols, Is.EqualTo(new[] { "batch" }));
        given["z"] = given["x"];
        Assert.That(() => session.PlanMemory(given), Throws.TypeOf<OnnxException>().With.Message.Contains("'z'"));

        static GraphDef Branch(string name) => new()
        {
            Name = name,
            Nodes = [Build.Node(name, "x", "r")],
            Outputs = [new ValueDef { Name = "r" }],
        };
    }

    /// <summary>A product on the engine, determinants on the host, products on the engine again.</summary>
    private static OnnxModel Mixed() => Build.Model(17,
            Build.Node("MatMul", "x w1", "a"), Build.Node("Relu", "a", "b"), Build.Node("Det", "b", "d"),
            Build.Node("Unsqueeze", "d last", "e"), Build.Node("MatMul", "e w2", "f"), Build.Node("Tanh", "f", "g"),
            Build.Node("MatMul", "g w3", "y"))
        .Of("x", ["batch", "6", "6"]).Of("y", null)
        .With(
            Build.Tensor("w1", Build.Random(1, 6, 6).Floats(), 6, 6), Build.Tensor("w2", Build.Random(2, 1, 48).Floats(), 1, 48),
            Build.Tensor("w3", Build.Random(3, 48, 8).Floats(), 48, 8), Build.Tensor("last", [-1L], 1)).Load();

    private static void RunMixed(OnnxModel model, OnnxSession session, int batch)
    {
        Dictionary<string, OnnxValue> inputs = Inputs(model, batch, 6, 6);
        float[] wanted = model.Evaluate(inputs)[0].Floats(), got = session.Run(inputs)[0].Floats();
        Assert.That(got, Is.EqualTo(wanted).Within(1e-5 * wanted.Max(Math.Abs)), $"batch {batch}");
    }

    [Test]
    public void Stages_above_the_limit_are_refused_and_others_stay_within_it()
    {
        using OnnxModel model = Mixed();
        using OnnxSession free = model.Compile(_device);
        Dictionary<string, OnnxValue> inputs = Inputs(model, 40, 6, 6);
        Assert.That(free.HostReason(inputs), Does.StartWith("Det"));
        long bytes = free.PeakBytes(inputs);

        // At least 36 floats that the first stage hands to the host, and 48 between the products of the second.
        Assert.That(bytes, Is.GreaterThanOrEqualTo(40 * 48 * sizeof(float)));
        Assert.That(free.PlanBytes, Is.Positive, "arenas are kept");
        using OnnxSession session = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = bytes - 1 });
        Assert.That(
            () => session.Run(inputs),
            Throws.TypeOf<OnnxException>().With.Message.Contains($"at most {bytes - 1:N0} bytes")
                .And.Message.Contains($"got {bytes:N0} bytes").And.Message.Contains("FLOAT[40, 6, 6]"));
        Assert.That(session.PlanBytes, Is.InRange(0, bytes - 1), "what a refused call held");
        RunMixed(model, session, 13);
        Assert.That(session.PlanBytes, Is.InRange(1, bytes - 1));
        session.Trim();
        Assert.That(session.PlanBytes, Is.Zero, "no value is counted behind the call");
        using OnnxSession enough = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = bytes });
        RunMixed(model, enough, 40);
        RunMixed(model, enough, 39);
        Assert.That(enough.PlanBytes, Is.InRange(1, bytes));
    }

    [Test]
    public void Mixed_calls_at_once_stay_within_the_limit()
    {
        using OnnxModel model = Mixed();
        using OnnxSession free = model.Compile(_device);
        long limit = free.PeakBytes(Inputs(model, 24, 6, 6));
        using OnnxSession session = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = limit, MaxPlans = 2 });
        using var stop = new CancellationTokenSource();
        long most = 0;
        Task watch = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                most = Math.Max(most, session.PlanBytes);
                Thread.Yield();
            }
        });
        Parallel.For(0, 48, new ParallelOptions { MaxDegreeOfParallelism = 6 }, i => RunMixed(model, session, 24 - (i % 5)));
        stop.Cancel();
        watch.Wait();
        Assert.That(most, Is.InRange(1L, limit));
    }

    [Test]
    public void Loops_of_bodies_on_the_engine_are_counted()
    {
        var body = new GraphDef
        {
            Name = "body",
            Nodes =
            [
                Build.Node("MatMul", "h w", "i"), Build.Node("Tanh", "i", "next"),
                Build.Node("ReduceSum", "next", "sum", Build.Int("keepdims", 0)), Build.Node("Less", "sum limit", "go"),
            ],
            Inputs = [new ValueDef { Name = "trip" }, new ValueDef { Name = "before" }, new ValueDef { Name = "h" }],
            Outputs = [new ValueDef { Name = "go" }, new ValueDef { Name = "next" }],
        };
        using OnnxModel model = Build.Model(17, Build.Node("Loop", "count yes x", "y", Build.Graph("body", body)))
            .With(["x", "count", "limit"], ["y"]).With(
                Build.Tensor("w", Build.Random(1, 64, 64).Floats(), 64, 64),
                Build.Tensor("yes", OnnxElementType.Bool, [], [1])).Load();
        var inputs = new Dictionary<string, OnnxValue>
        {
            ["x"] = Build.Random(2, 32, 64),
            ["count"] = OnnxTensor.Create([5L]),
            ["limit"] = OnnxTensor.Create([1e9f]),
        };
        using OnnxSession free = model.Compile(_device);
        long bytes = free.PeakBytes(inputs);

        // The body's input lies in its arena, its output beside it.
        Assert.That(bytes, Is.GreaterThanOrEqualTo(2 * 32 * 64 * sizeof(float)));
        using OnnxSession tight = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = bytes - 1 });
        Assert.That(() => tight.Run(inputs), Throws.TypeOf<OnnxException>().With.Message.Contains("MemoryLimit"));
        using OnnxSession enough = model.Compile(_device, new OnnxSessionOptions { MemoryLimit = bytes });
        Assert.That(enough.Run(inputs)[0].Floats(), Is.EqualTo(model.Evaluate(inputs)[0].Floats()).Within(1e-5));
    }

    [Test]
    public void The_formula_of_a_mixed_model_is_what_its_stages_hold()
    {
        using OnnxModel model = Mixed();
        using OnnxSession session = model.Compile(_device);
        OnnxMemoryPlan plan = session.MemoryPlan;
        TestContext.Out.WriteLine(plan);
        Assert.That(plan.Symbols, Is.EqualTo(new[] { "batch" }));
        Assert.That(plan.IsExact, Is.True);
        foreach (int batch in new[] { 32, 320 })
        {
            Assert.That(
                plan.Bytes(new Dictionary<string, int> { ["batch"] = batch }),
                Is.EqualTo(session.PeakBytes(Inputs(model, batch, 6, 6))), $"batch {batch}");
        }
    }

    [Test]
    public void The_formula_of_a_model_of_the_host_is_that_of_its_values()
    {
        using OnnxModel model = Build.Model(17, Build.Node("Det", "x", "y")).Of("x", ["n", "3", "3"]).Of("y", null).Load();
        using OnnxSession session = model.Compile(_device);
        Assert.That(session.MemoryPlan.Formula, Is.EqualTo("4 n"));
    }
}
