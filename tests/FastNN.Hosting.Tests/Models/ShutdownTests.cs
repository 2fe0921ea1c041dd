using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Models;

/// <summary>How a service ends, and models that are unloaded under their calls.</summary>
public sealed class ShutdownTests : ServingFixture
{
    [Test]
    public async Task A_call_that_was_begun_is_finished_before_the_service_ends()
    {
        IHost host = await StartAsync("digits", SaveMlp("digits.safetensors", 7));
        IModel model = Model(host, "digits");
        ModelCall call = model.Begin();
        Set(call, Inputs(1));
        Task stopping = host.StopAsync();
        Assert.That(stopping.IsCompleted, Is.False);
        Refusal(() => model.Begin(), InferenceFailure.ShuttingDown);
        Refusal(() => Catalog(host).Find("digits", null), InferenceFailure.ShuttingDown);
        Assert.That(Catalog(host).IsReady, Is.False);
        await call.RunAsync();
        Assert.That(Floats(call), Is.EqualTo(Expected(7, Inputs(1))).Within(1e-6));
        call.Dispose();
        await stopping;
    }

    [Test]
    public async Task A_call_that_is_never_finished_does_not_keep_the_service_from_ending()
    {
        IHost host = await StartAsync("digits", SaveMlp("digits.safetensors", 7));
        ModelCall call = Model(host, "digits").Begin();
        Set(call, Inputs(1));
        using var hurry = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await host.StopAsync(hurry.Token);
        InferenceException exception = Assert.ThrowsAsync<InferenceException>(async () => await call.RunAsync())!;
        Assert.That(exception.Failure, Is.EqualTo(InferenceFailure.NotReady));
        call.Dispose();
        Assert.That(Log.Lines, Has.Some.Contain("have not been disposed in time"));
    }

    [Test]
    public async Task A_model_that_is_unloaded_waits_for_its_calls_for_a_while()
    {
        IHost host = await StartAsync(
            options => options.DrainTimeout = TimeSpan.FromMilliseconds(50),
            models => models.AddModel("digits", options => options.FromFile(SaveMlp("digits.safetensors", 7))));
        ModelCall call = Model(host, "digits").Begin();
        Set(call, Inputs(1));
        await Catalog(host).UnloadAsync("digits");
        Assert.ThrowsAsync<InferenceException>(async () => await call.RunAsync());
        call.Dispose();
        Assert.That(Catalog(host).List().Single().State, Is.EqualTo(ModelState.Unloaded));
        await Catalog(host).LoadAsync("digits");
        Assert.That(await CallAsync(Model(host, "digits"), Inputs(1)), Has.Length.EqualTo(3));
    }

    [Test]
    public async Task A_call_that_is_disposed_under_way_is_given_back_when_its_answer_comes()
    {
        var buffers = new BufferPool();
        var engine = new SlowEngine();
        var model = new LoadedModel(
            "slow", "1", engine, new ServingSettings { Batching = new BatchingOptions { ComputeOnCaller = false }, MaxRows = 4 },
            new ModelCounters(TimeProvider.System), buffers, TimeProvider.System);
        Assert.That(model.TryHold(), Is.True);
        ServedCall call = model.BeginCall();
        call.SetInput(0, [1, 1]).Clear();
        ValueTask run = call.RunAsync();
        engine.Entered.Wait();
        Assert.Multiple(() =>
        {
            Assert.Throws<InvalidOperationException>(() => call.SetInput(0, [1, 1]));
            Assert.Throws<InvalidOperationException>(() => call.Output(0));
        });
        call.Dispose();
        call.Dispose();
        Assert.That(buffers.Rented, Is.EqualTo(1), "the engine still reads the input");
        Task retired = model.RetireAsync();
        Assert.That(retired.IsCompleted, Is.False);
        engine.Leave.Set();
        await run;
        await retired;
        Assert.That(buffers.Rented, Is.Zero);
        Assert.That(engine.IsDisposed, Is.True);
        Assert.That(model.TryHold(), Is.False);
    }

    /// <summary>Computes when it is told to.</summary>
    private sealed class SlowEngine : IModelEngine
    {
        public ManualResetEventSlim Entered { get; } = new();

        public ManualResetEventSlim Leave { get; } = new();

        public bool IsDisposed { get; private set; }

        public string Platform => "slow";

        public IReadOnlyList<ModelTensor> Inputs { get; } = [new("x", TensorDataType.Float32, [-1, 1])];

        public IReadOnlyList<ModelTensor> Outputs { get; } = [new("y", TensorDataType.Float32, [-1, 1])];

        public bool IsBatchable => true;

        public bool AllowsEmpty => false;

        public IReadOnlyList<string> ClassNames => [];

        public void Execute(ReadOnlySpan<QueuedCall> batch, int rows, ref StageClock clock)
        {
            Entered.Set();
            Leave.Wait();
            clock.InputsReady();
            clock.Computed();
            BatchRows.Scatter(batch, 0, rows, [rows, 1], new byte[rows * sizeof(float)]);
        }

        public void Dispose() => IsDisposed = true;
    }
}
