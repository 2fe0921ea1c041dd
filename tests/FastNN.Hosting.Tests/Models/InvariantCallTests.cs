using System.Runtime.InteropServices;
using FastNN.Onnx;
using FastNN.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastNN.Hosting.Tests.Models;

/// <summary>With BatchInvariant, the answer to an example is the same to the bit whatever it is computed with.</summary>
public sealed class InvariantCallTests : FolderFixture
{
    private readonly BufferPool _buffers = new();
    private Device _device = null!;

    private static IEnumerable<TestCaseData> Networks =>
    [
        Network("MLP", [19], () => new Sequential(new Dense(33, Activation.ReLU), new Dense(7))),
        Network("MLP 4096 wide", [64], () => new Sequential(new Dense(4096, Activation.ReLU), new Dense(5))),
        Network("long products", [2500], () => new Sequential(new Dense(9))),
        Network("CNN", [12, 12, 2], () => new Sequential(
            new Conv2D(6, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(), new Dense(10), new Softmax())),
        Network("LSTM", [9, 11], () => new Sequential(new Lstm(24), new Dense(3))),
        Network("GRU", [9, 11], () => new Sequential(new Gru(24), new Dense(3))),
        Network("attention", [13, 32], () => new Sequential(new MultiHeadAttention(32, 4), new LayerNorm(), new Dense(3))),
    ];

    [SetUp]
    public void OpenDevice() => _device = Device.Cpu(2);

    [TearDown]
    public void CloseDevice()
    {
        Assert.That(_buffers.Rented, Is.Zero, "calls kept buffers");
        Assert.That(_device.Memory.LiveBytes, Is.Zero, "models kept memory");
        _device.Dispose();
    }

    [TestCaseSource(nameof(Networks))]
    public async Task An_answer_is_the_same_alone_and_in_any_batch(Func<Layer> network, int[] example)
    {
        LoadedModel model = Load(network(), onnx: false);
        await CheckAsync(model, example);
    }

    [Test]
    public async Task An_onnx_file_answers_the_same_alone_and_in_any_batch()
    {
        LoadedModel model = Load(Built(new Sequential(new Dense(33, Activation.ReLU), new Dense(7)), [19]), onnx: true);
        await CheckAsync(model, [19]);
    }

    [Test]
    public async Task A_model_whose_answers_depend_on_the_batch_computes_one_example_at_a_time()
    {
        ServingFixture.LogLines log = new();
        LoadedModel model = Load(
            Built(new Sequential(new Dense(5)), [4]), onnx: false, engine => new DependentEngine(engine), log);
        Assert.That(log.Lines, Has.One.Contain("depends on the batch").And.One.Contain("Warning"));
        ServedCall[] calls = [Begin(model, [4], 0, 1), Begin(model, [4], 1, 1)];
        Assert.That(calls[0].Joins(calls[1]), Is.False);
        Dispose(calls);
        await CheckAsync(model, [4], maxTogether: 1);
    }

    [Test]
    public async Task Shapes_that_were_not_tried_are_computed_one_example_at_a_time()
    {
        Symbol words = FastNN.Model.Input("words", [Dim.Named("T"), 4]);
        var network = new Model(words, new Dense(2).Apply(words));
        network.Build(seed: 5);
        LoadedModel model = Load(network, onnx: false, dimensions: [1, 3, 4]);
        ServedCall[] tried = [Begin(model, [3, 4], 0, 1), Begin(model, [3, 4], 1, 1)];
        ServedCall[] others = [Begin(model, [6, 4], 0, 1), Begin(model, [6, 4], 1, 1)];
        Assert.That((tried[0].Joins(tried[1]), others[0].Joins(others[1])), Is.EqualTo((true, false)));
        Dispose(tried);
        Dispose(others);
        await CheckAsync(model, [6, 4], maxTogether: 1);
    }

    [Test]
    public async Task A_call_allocates_nothing([Values(1, 5, 40)] int rows)
    {
        LoadedModel model = Load(Built(new Sequential(new Dense(5)), [4]), onnx: false);
        ServedCall call = Begin(model, [4], 0, rows);
        long allocated = AllocatedBytes.Of(() => model.Execute([call], isShort: false), times: 50);
        call.Dispose();
        Assert.That(allocated, Is.Zero);
        await model.RetireAsync();
    }

    [Test]
    [Explicit("measures")]
    public async Task What_it_costs([Values("784-128-10", "4096-4096-10", "CNN")] string name)
    {
        (int[] example, Func<Sequential> make) = name switch
        {
            "784-128-10" => (
                new[] { 784 }, (Func<Sequential>)(() => new Sequential(new Dense(128, Activation.ReLU), new Dense(10)))),
            "4096-4096-10" => ([4096], () => new Sequential(new Dense(4096, Activation.ReLU), new Dense(10))),
            _ => ([28, 28, 1], () => new Sequential(
                new Conv2D(16, 3, Activation.ReLU), new MaxPool2D(2), new Conv2D(32, 3, Activation.ReLU), new Flatten(),
                new Dense(10))),
        };
        LoadedModel with = Load(Built(make(), example), onnx: false);
        LoadedModel without = Load(Built(make(), example), onnx: false, invariant: false);
        foreach (int rows in new[] { 1, 2, 16 })
        {
            ServedCall[] calls = [Begin(with, example, 0, rows), Begin(without, example, 0, rows)];
            var times = new List<double>[] { [], [] };
            for (int i = 0; i < 400; i++)
            {
                long start = System.Diagnostics.Stopwatch.GetTimestamp();
                (i % 2 == 0 ? with : without).Execute([calls[i % 2]], isShort: false);
                times[i % 2].Add(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            }

            double[] medians = [.. times.Select(list => list.Order().ElementAt(list.Count / 4))];
            TestContext.Out.WriteLine($"{name}, {rows} rows: {medians[0]:F1} us with, {medians[1]:F1} us without");
            Dispose(calls);
        }

        await with.RetireAsync();
        await without.RetireAsync();
    }

    /// <summary>Answers to 45 examples: one by one, in batches, and in calls of several.</summary>
    private static async Task CheckAsync(LoadedModel model, int[] example, int maxTogether = InvariantRows.MostRows)
    {
        const int Examples = 45;
        ServedCall[] single = [.. Enumerable.Range(0, Examples).Select(i => Begin(model, example, i, 1))];
        TestContext.Out.WriteLine(model.Invariant!.Allows(single[0]) ? "computed together" : "computed one at a time");
        byte[][] expected = [.. single.Select(call => Answers(model, call)[0])];
        Assert.That(expected.Select(Convert.ToHexString).Distinct().Count(), Is.EqualTo(Examples), "answers differ");
        for (int rows = 2; rows <= maxTogether; rows++)
        {
            // In other places than those in which the trial has them.
            int first = (7 * rows) % (Examples - rows);
            byte[][] together = Answers(model, single[first..(first + rows)]);
            Assert.That(together, Is.EqualTo(expected[first..(first + rows)]), $"{rows} calls together");
        }

        foreach (int rows in new[] { 1, 2, 3, 31, 32, 33, 45 })
        {
            ServedCall several = Begin(model, example, 0, rows);
            Assert.That(
                Answers(model, several)[0], Is.EqualTo(expected[..rows].SelectMany(bytes => bytes)),
                $"a call of {rows} examples");
            several.Dispose();
        }

        Dispose(single);
        await model.RetireAsync();
    }

    private static byte[][] Answers(LoadedModel model, params ServedCall[] calls)
    {
        model.Execute(calls, isShort: false);
        return [.. calls.Select(call => call.OutputTensor(0).Bytes.ToArray())];
    }

    /// <summary>A call of examples that follow from their number.</summary>
    private static ServedCall Begin(LoadedModel model, int[] example, int first, int rows)
    {
        Assert.That(model.TryHold(), Is.True);
        ServedCall call = model.BeginCall();
        Span<float> values = MemoryMarshal.Cast<byte, float>(call.SetInput(0, [rows, .. example]));
        for (int row = 0; row < rows; row++)
        {
            var random = new Random(first + row + 1000);
            foreach (ref float value in values.Slice(row * (values.Length / rows), values.Length / rows))
            {
                value = (random.NextSingle() * 4) - 2;
            }
        }

        return call;
    }

    private static void Dispose(ServedCall[] calls)
    {
        foreach (ServedCall call in calls)
        {
            call.Dispose();
        }
    }

    private static TestCaseData Network(string name, int[] example, Func<Sequential> make) =>
        new TestCaseData((Func<Layer>)(() => Built(make(), example)), example).SetArgDisplayNames(name);

    private static Sequential Built(Sequential model, int[] example)
    {
        model.Build(new Shape(example), seed: 3);
        return model;
    }

    private LoadedModel Load(
        Layer network, bool onnx, Func<IModelEngine, IModelEngine>? wrap = null, ServingFixture.LogLines? log = null,
        int[]? dimensions = null, bool invariant = true)
    {
        string path = At(onnx ? "model.onnx" : "model.safetensors");
        if (onnx)
        {
            network.ExportOnnx(path);
        }
        else
        {
            network.Save(path);
        }

        var settings = new ServingSettings
        {
            Batching = new BatchingOptions { BatchInvariant = invariant, MaxBatch = 64 },
            MaxRows = 64,
            WarmUpDimensions = dimensions is null
                ? new Dictionary<string, int[]>() : new Dictionary<string, int[]> { ["words"] = dimensions },
        };
        IModelEngine engine = new ModelLoader(() => _device, _buffers).Load("model", path, null, settings);
        var model = new LoadedModel(
            "model", "1", wrap?.Invoke(engine) ?? engine, settings, new ModelCounters(TimeProvider.System), _buffers,
            TimeProvider.System);
        WarmUp.Run(model, [], new CatalogLog(log ?? (Microsoft.Extensions.Logging.ILogger)NullLogger.Instance));
        return model;
    }

    /// <summary>Its answers tell how many examples were computed together.</summary>
    private sealed class DependentEngine(IModelEngine inner) : ForwardingEngine(inner)
    {
        public override void Execute(ReadOnlySpan<QueuedCall> batch, int rows, ref StageClock clock)
        {
            base.Execute(batch, rows, ref clock);
            foreach (QueuedCall call in batch)
            {
                ((ServedCall)call).OutputTensor(0).Buffer![0] ^= (byte)rows;
            }
        }
    }
}
