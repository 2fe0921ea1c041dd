using System.Runtime.InteropServices;
using FastNN.Onnx;
using FastNN.Testing;

namespace FastNN.Hosting.Tests.Models;

/// <summary>Calls computed together: rows gathered and given back, by both engines.</summary>
public sealed class BatchedCallTests : FolderFixture
{
    private readonly BufferPool _buffers = new();
    private Device _device = null!;

    [SetUp]
    public void OpenDevice() => _device = Device.Cpu(1);

    [TearDown]
    public void CloseDevice()
    {
        Assert.That(_buffers.Rented, Is.Zero, "calls kept buffers");
        Assert.That(_device.Memory.LiveBytes, Is.Zero, "models kept memory");
        _device.Dispose();
    }

    [Test]
    public async Task Each_call_gets_the_rows_that_it_gets_alone([Values] bool onnx)
    {
        LoadedModel model = Load(TwoInputs(), onnx);
        int[] rows = [2, 1, 4, 3];
        float[][] alone = [.. rows.Select((count, i) => Answers(model, [Begin(model, count, i)])[0])];
        float[][] together = Answers(model, [.. rows.Select((count, i) => Begin(model, count, i))]);
        for (int i = 0; i < rows.Length; i++)
        {
            Assert.That(together[i], Has.Length.EqualTo(rows[i] * 3));
            Assert.That(together[i], Is.EqualTo(alone[i]).Within(1e-5), $"call {i}");
        }

        Assert.That(alone[0].Distinct().Count(), Is.GreaterThan(2), "answers differ, so that mixed up rows would be seen");
        await model.RetireAsync();
    }

    [Test]
    public async Task A_batch_of_known_shapes_allocates_nothing([Values] bool onnx, [Values] bool isShort)
    {
        LoadedModel model = Load(TwoInputs(), onnx);
        ServedCall[] calls = [.. Enumerable.Range(0, 5).Select(i => Begin(model, 1 + (i % 2), i))];
        long allocated = AllocatedBytes.Of(() => model.Execute(calls, isShort), times: 50);
        Dispose(calls);
        Assert.That(allocated, Is.Zero);
        await model.RetireAsync();
    }

    [Test]
    public async Task A_short_batch_has_the_answers_of_another_bit_for_bit([Values] bool onnx)
    {
        LoadedModel model = Load(TwoInputs(), onnx);
        float[] apart = Answers(model, [Begin(model, 3, 1)])[0], alone = Answers(model, [Begin(model, 3, 1)], isShort: true)[0];
        Assert.That(alone, Is.EqualTo(apart));
        Assert.That(model.ShortBatches, Is.EqualTo(LoadedModel.MostShortBatches));
        await model.RetireAsync();
    }

    [Test]
    public async Task Calls_join_where_their_shapes_agree_but_for_the_first_extent()
    {
        LoadedModel model = Load(TwoInputs(), onnx: false), other = Load(TwoInputs(), onnx: false);
        ServedCall[] calls = [Begin(model, 1, 0), Begin(model, 5, 1), Begin(other, 1, 2)];
        Assert.That(calls[0].Joins(calls[1]), Is.True);
        Assert.That(calls[0].Joins(calls[2]), Is.False, "another model");
        Dispose(calls);
        await model.RetireAsync();
        await other.RetireAsync();

        Symbol words = FastNN.Model.Input("words", [Dim.Named("T"), 4]);
        LoadedModel sequences = Load(Built(new Model(words, new Dense(2).Apply(words))), onnx: false);
        ServedCall[] sentences = [Sentence(3), Sentence(3), Sentence(4)];
        Assert.That(sentences[0].Joins(sentences[1]), Is.True);
        Assert.That(sentences[0].Joins(sentences[2]), Is.False, "another length");
        Dispose(sentences);
        await sequences.RetireAsync();

        ServedCall Sentence(int length)
        {
            Assert.That(sequences.TryHold(), Is.True);
            ServedCall call = sequences.BeginCall();
            call.SetInput(0, [1, length, 4]).Clear();
            return call;
        }
    }

    [Test]
    public async Task Callers_that_wait_while_another_is_computed_are_computed_together()
    {
        GatedEngine? gate = null;
        LoadedModel model = Load(TwoInputs(), onnx: false, engine => gate = new GatedEngine(engine));
        Task<float[]> Call(int seed) => Task.Run(async () =>
        {
            using ServedCall call = Begin(model, 1, seed);
            await call.RunAsync();
            return MemoryMarshal.Cast<byte, float>(call.Output(0)).ToArray();
        });

        Task<float[]> first = Call(0);
        gate!.Entered.Wait();
        Task<float[]>[] others = [.. Enumerable.Range(1, 7).Select(Call)];
        Assert.That(() => model.Queue.Waiting, Is.EqualTo(7).After(10_000, 5));
        gate.Leave.Set();
        float[][] together = await Task.WhenAll([first, .. others]);
        ModelStatistics statistics = model.Counters.Read("model", "1");
        Assert.That(
            statistics.Batches.Select(batch => (batch.BatchSize, batch.ComputeInfer.Count)),
            Is.EqualTo(new[] { (1L, 1L), (7L, 1L) }));
        Assert.That((statistics.Inferences, statistics.Executions, statistics.Success.Count), Is.EqualTo((8L, 2L, 8L)));
        for (int i = 0; i < together.Length; i++)
        {
            Assert.That(together[i], Is.EqualTo(await Call(i)).Within(1e-5), $"caller {i}");
        }

        await model.RetireAsync();
    }

    private static Model TwoInputs()
    {
        Symbol left = FastNN.Model.Input("left", [2]), right = FastNN.Model.Input("right", [3]);
        Symbol hidden = new Dense(7, Activation.ReLU).Apply(Symbol.Concat(left, right));
        return Built(new Model([left, right], [("small", new Dense(3).Apply(hidden)), ("large", new Dense(5).Apply(hidden))]));
    }

    private static Model Built(Model model)
    {
        model.Build(seed: 5);
        return model;
    }

    private LoadedModel Load(Model model, bool onnx, Func<IModelEngine, IModelEngine>? wrap = null)
    {
        var settings = new ServingSettings { Batching = new BatchingOptions(), MaxRows = 64 };
        string path = At(onnx ? "model.onnx" : "model.safetensors");
        if (onnx)
        {
            model.ExportOnnx(path);
        }
        else
        {
            model.Save(path);
        }

        IModelEngine engine = new ModelLoader(() => _device, _buffers).Load("model", path, null, settings);
        Assert.That(engine.IsBatchable, Is.True);
        return new LoadedModel(
            "model", "1", wrap?.Invoke(engine) ?? engine, settings, new ModelCounters(TimeProvider.System), _buffers,
            TimeProvider.System);
    }

    private static ServedCall Begin(LoadedModel model, int rows, int seed)
    {
        Assert.That(model.TryHold(), Is.True);
        ServedCall call = model.BeginCall();
        var random = new Random(seed);
        for (int i = 0; i < 2; i++)
        {
            foreach (ref float value in MemoryMarshal.Cast<byte, float>(call.SetInput(i, [rows, 2 + i])))
            {
                value = (random.NextSingle() * 4) - 2;
            }
        }

        return call;
    }

    /// <summary>Computes calls at once; the first outputs.</summary>
    private static float[][] Answers(LoadedModel model, ServedCall[] calls, bool isShort = false)
    {
        model.Execute(calls, isShort);
        float[][] answers = [.. calls.Select(call => MemoryMarshal.Cast<byte, float>(call.OutputTensor(0).Bytes).ToArray())];
        Assert.That(
            calls.Select(call => call.OutputTensor(1).Dimensions.ToArray()),
            Is.EqualTo(calls.Select(call => new[] { call.Rows, 5 })));
        Dispose(calls);
        return answers;
    }

    private static void Dispose(ServedCall[] calls)
    {
        foreach (ServedCall call in calls)
        {
            call.Dispose();
        }
    }

    /// <summary>Keeps the first execution waiting until it is told to go on.</summary>
    private sealed class GatedEngine(IModelEngine inner) : ForwardingEngine(inner)
    {
        public ManualResetEventSlim Entered { get; } = new();

        public ManualResetEventSlim Leave { get; } = new();

        public override void Execute(ReadOnlySpan<QueuedCall> batch, int rows, ref StageClock clock)
        {
            Entered.Set();
            Leave.Wait();
            base.Execute(batch, rows, ref clock);
        }

        public override void Dispose()
        {
            base.Dispose();
            Entered.Dispose();
            Leave.Dispose();
        }
    }
}
