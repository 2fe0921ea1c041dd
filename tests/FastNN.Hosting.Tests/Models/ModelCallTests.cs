using System.Runtime.InteropServices;
using FastNN.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Models;

/// <summary>Calls of models: answers, refusals, and what they cost.</summary>
public sealed class ModelCallTests : ServingFixture
{
    [TestCase(".safetensors")]
    [TestCase(".onnx")]
    public async Task An_answer_is_the_one_that_the_model_gives_without_a_service(string extension)
    {
        IModel model = Model(await StartAsync("digits", Save("digits", extension)), "digits");
        float[] x = Inputs(4);
        using ModelCall call = model.Begin();
        Set(call, x);
        await call.RunAsync();
        Assert.Multiple(() =>
        {
            Assert.That(Floats(call), Is.EqualTo(Expected(7, x)).Within(1e-5));
            Assert.That(call.OutputDimensions(0).ToArray(), Is.EqualTo(new[] { 4, 3 }));
            Assert.That(call.BatchSize, Is.EqualTo(4));
            Assert.That(call.ComputeTime, Is.GreaterThan(TimeSpan.Zero));
            Assert.That(call.Version, Is.EqualTo("1"));
            Assert.That(model.Platform, Is.EqualTo(extension == ".onnx" ? "onnx" : "fastnn"));
            Assert.That(model.Inputs, Has.Count.EqualTo(1));
            Assert.That(model.Inputs[0].Dimensions, Is.EqualTo(new[] { -1, 6 }));
            Assert.That(model.Inputs[0].DataType, Is.EqualTo(TensorDataType.Float32));
            Assert.That(model.Outputs[0].Dimensions, Is.EqualTo(new[] { -1, 3 }));
        });
    }

    [TestCase(".safetensors")]
    [TestCase(".onnx")]
    public async Task A_call_of_a_known_shape_allocates_nothing(string extension)
    {
        IModel model = Model(await StartAsync("digits", Save("digits", extension)), "digits");
        float[] x = Inputs(2);
        void Call()
        {
            using ModelCall call = model.Begin();
            MemoryMarshal.AsBytes(x.AsSpan()).CopyTo(call.SetInput(0, [2, 6]));
            ValueTask run = call.RunAsync();
            if (!run.IsCompletedSuccessfully || call.Output(0).Length != 2 * 3 * sizeof(float))
            {
                throw new InvalidOperationException("expected an answer at once");
            }

            run.GetAwaiter().GetResult();
        }

        Assert.That(AllocatedBytes.Of(Call, times: 100), Is.Zero);
    }

    [Test]
    public async Task A_call_without_a_deadline_has_that_of_its_model_in_every_run()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        IHost host = Create(
            options => options.CallTimeout = TimeSpan.FromSeconds(9),
            models =>
            {
                models.Services.AddSingleton<TimeProvider>(clock);
                models.AddModel("fast", o => o.FromFile(SaveMlp("a.safetensors", 7)).CallTimeout = TimeSpan.FromMilliseconds(20));
                models.AddModel("slow", o => o.FromFile(SaveMlp("b.safetensors", 7)));
            });
        await StartAsync(host);
        foreach ((string name, double milliseconds) in new[] { ("fast", 20.0), ("slow", 9000.0) })
        {
            using var call = (ServedCall)Model(host, name).Begin();
            for (int i = 0; i < 2; i++)
            {
                Set(call, Inputs(1));
                await call.RunAsync();
                Assert.That(call.Deadline, Is.Zero, "the caller's own is still none");
                Assert.That(
                    clock.GetElapsedTime(call.Place.Arrival, call.Place.Latest).TotalMilliseconds, Is.EqualTo(milliseconds));
                clock.Advance(TimeSpan.FromSeconds(10));
            }

            call.Deadline = clock.GetTimestamp() + (clock.TimestampFrequency / 2);
            await call.RunAsync();
            TimeSpan own = clock.GetElapsedTime(call.Place.Arrival, call.Place.Latest);
            Assert.That(own.TotalMilliseconds, Is.EqualTo(500));
        }
    }

    [Test]
    public async Task A_model_tells_how_many_examples_a_call_may_have()
    {
        SaveMlp("digits.safetensors", 7);
        IModel model = Model(await StartAsync("digits", "digits.safetensors", options => options.MaxExamples = 48), "digits");
        Assert.That(model.MaxBatch, Is.EqualTo(48));
    }

    [Test]
    public async Task A_call_can_run_again_with_other_inputs()
    {
        IModel model = Model(await StartAsync("digits", SaveMlp("digits.safetensors", 7)), "digits");
        using ModelCall call = model.Begin();
        foreach (int rows in new[] { 3, 1, 8 })
        {
            float[] x = Inputs(rows, seed: rows);
            Set(call, x);
            await call.RunAsync();
            Assert.That(Floats(call), Is.EqualTo(Expected(7, x)).Within(1e-6));
        }
    }

    [Test]
    public async Task A_call_is_disposed_once_and_not_usable_behind_that()
    {
        IModel model = Model(await StartAsync("digits", SaveMlp("digits.safetensors", 7)), "digits");
        ModelCall call = model.Begin();
        Set(call, Inputs(1));
        await call.RunAsync();
        call.Dispose();
        call.Dispose();
        Assert.Multiple(() =>
        {
            Assert.Throws<ObjectDisposedException>(() => call.SetInput(0, [1, 6]));
            Assert.Throws<ObjectDisposedException>(() => call.Output(0));
            Assert.Throws<ObjectDisposedException>(() => call.OutputDimensions(0));
            Assert.ThrowsAsync<ObjectDisposedException>(async () => await call.RunAsync());
        });
    }

    [TestCase(".safetensors", "[2, 5]")]
    [TestCase(".safetensors", "[6]")]
    [TestCase(".safetensors", "[0, 6]")]
    [TestCase(".onnx", "[0, 6]")]
    [TestCase(".onnx", "[-1, 6]")]
    [TestCase(".onnx", "[1, 6, 1]")]
    public async Task A_shape_that_does_not_fit_is_refused_with_both_shapes(string extension, string shape)
    {
        IModel model = Model(await StartAsync("digits", Save("digits", extension)), "digits");
        int[] dimensions = [.. shape.Trim('[', ']').Split(',').Select(int.Parse)];
        using ModelCall call = model.Begin();
        InferenceException refusal = Refusal(() => call.SetInput(0, dimensions), InferenceFailure.InvalidInput);
        Assert.That(refusal.Message, Does.Contain("'digits'").And.Contain("[-1, 6]").And.Contain(shape));
    }

    [Test]
    public async Task Lengths_and_numbers_of_examples_are_held_against_the_model()
    {
        IModel model = Model(await StartAsync("digits", SaveMlp("digits.safetensors", 7), o => o.MaxExamples = 8), "digits");
        using ModelCall call = model.Begin();
        Assert.Multiple(() =>
        {
            Refusal(() => call.SetInput(0, [2, 6], bytes: 47), InferenceFailure.InvalidInput);
            Assert.That(call.SetInput(0, [2, 6], bytes: 48).Length, Is.EqualTo(48));
            Assert.That(
                Refusal(() => call.SetInput(0, [9, 6]), InferenceFailure.InvalidInput).Message,
                Does.Contain("at most 8 examples").And.Contain("got 9"));
            Assert.Throws<ArgumentOutOfRangeException>(() => call.SetInput(1, [1, 6]));
        });
    }

    [Test]
    public async Task A_call_without_an_input_is_refused()
    {
        IModel model = Model(await StartAsync("digits", SaveMlp("digits.safetensors", 7)), "digits");
        using ModelCall call = model.Begin();
        Assert.That(
            Refusal(() => call.RunAsync().AsTask().GetAwaiter().GetResult(), InferenceFailure.InvalidInput).Message,
            Does.Contain("nothing was set"));
        Assert.Throws<InvalidOperationException>(() => call.Output(0));
    }

    [Test]
    public async Task Inputs_of_a_call_agree_on_the_number_of_examples()
    {
        Symbol left = FastNN.Model.Input("left", [2]), right = FastNN.Model.Input("right", [3]);
        var net = new Model([left, right], [("sum", new Dense(1).Apply(Symbol.Concat(left, right)))]);
        net.Build();
        net.Save(At("two.safetensors"));
        IModel model = Model(await StartAsync("two", "two.safetensors"), "two");
        using ModelCall call = model.Begin();
        call.SetInput(0, [2, 2]).Clear();
        call.SetInput(1, [3, 3]).Clear();
        Assert.That(
            Refusal(() => call.RunAsync().AsTask().GetAwaiter().GetResult(), InferenceFailure.InvalidInput).Message,
            Does.Contain("2 examples").And.Contain("got 3"));
    }

    [Test]
    public async Task Callers_at_one_time_each_get_their_own_answer([Values(".safetensors", ".onnx")] string extension)
    {
        IModel model = Model(await StartAsync("digits", Save("digits", extension)), "digits");
        float[][] inputs = [.. Enumerable.Range(0, 40).Select(i => Inputs(1 + (i % 5), seed: i))];
        float[][] expected = [.. inputs.Select(x => Expected(7, x))];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                int place = ((worker * 7) + i) % inputs.Length;
                float[] y = await CallAsync(model, inputs[place]);
                Assert.That(y, Is.EqualTo(expected[place]).Within(1e-5));
            }
        })));
    }

    [Test]
    public async Task One_bad_call_does_not_fail_those_computed_with_it()
    {
        Symbol tokens = FastNN.Model.Input("tokens", [3], DType.Int32);
        var words = new Model(tokens, new Dense(2).Apply(new Flatten().Apply(new Embedding(10, 4).Apply(tokens))));
        words.Build(seed: 3);
        words.Save(At("words.safetensors"));
        IHost host = await StartAsync("words", "words.safetensors");
        IModel model = Model(host, "words");
        async Task<Exception?> TryAsync(int token)
        {
            using ModelCall call = model.Begin();
            MemoryMarshal.Cast<byte, int>(call.SetInput(0, [1, 3])).Fill(token);
            try
            {
                await call.RunAsync();
                return null;
            }
            catch (InferenceException exception)
            {
                return exception;
            }
        }

        for (int round = 0; round < 20; round++)
        {
            Exception?[] outcomes = await Task.WhenAll(
                Enumerable.Range(0, 6).Select(i => Task.Run(() => TryAsync(i == 3 ? 99 : i))));
            Assert.That(outcomes.Select(outcome => outcome is null), Is.EqualTo(new[] { true, true, true, false, true, true }));
            Assert.That(((InferenceException)outcomes[3]!).Failure, Is.EqualTo(InferenceFailure.InvalidInput));
            Assert.That(outcomes[3]!.Message, Does.Contain("99"));
        }
    }

    [Test]
    public async Task A_cancelled_call_ends_and_leaves_nothing_behind()
    {
        IModel model = Model(await StartAsync("digits", SaveMlp("digits.safetensors", 7)), "digits");
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();
        using ModelCall call = model.Begin();
        Set(call, Inputs(1));
        Assert.CatchAsync<OperationCanceledException>(async () => await call.RunAsync(cancellation.Token));
        await call.RunAsync();
        Assert.That(Floats(call), Is.EqualTo(Expected(7, Inputs(1))).Within(1e-6));
    }

    [Test]
    public async Task Statistics_count_calls_and_batches()
    {
        IHost host = await StartAsync("digits", SaveMlp("digits.safetensors", 7));
        IModel model = Model(host, "digits");
        await CallAsync(model, Inputs(2));
        await CallAsync(model, Inputs(2));
        await CallAsync(model, Inputs(5));
        using (var cancellation = new CancellationTokenSource())
        {
            await cancellation.CancelAsync();
            using ModelCall call = model.Begin();
            Set(call, Inputs(1));
            Assert.CatchAsync<OperationCanceledException>(async () => await call.RunAsync(cancellation.Token));
        }

        ModelStatistics statistics = Catalog(host).Statistics("digits").Single();
        Assert.Multiple(() =>
        {
            Assert.That(statistics.Inferences, Is.EqualTo(9));
            Assert.That(statistics.Executions, Is.EqualTo(3));
            Assert.That(statistics.Success.Count, Is.EqualTo(3));
            Assert.That(statistics.Fail.Count, Is.EqualTo(1));
            Assert.That(
                statistics.ComputeInfer.Nanoseconds, Is.GreaterThan(0).And.LessThanOrEqualTo(statistics.Success.Nanoseconds));
            Assert.That(
                statistics.Batches.Select(batch => (batch.BatchSize, batch.ComputeInfer.Count)),
                Is.EqualTo(new[] { (2L, 2L), (5L, 1L) }));
            Assert.That(statistics.LastInference, Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
            Assert.That(Catalog(host).Statistics(), Has.Count.EqualTo(1));
            Refusal(() => Catalog(host).Statistics("digits", "2"), InferenceFailure.NotFound);
            Refusal(() => Catalog(host).Statistics("letters"), InferenceFailure.NotFound);
        });
    }

    private string Save(string name, string extension) =>
        extension == ".onnx" ? ExportMlp(name + extension, 7) : SaveMlp(name + extension, 7);
}
