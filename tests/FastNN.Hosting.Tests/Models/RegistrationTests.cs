using System.Runtime.InteropServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Tests.Models;

/// <summary>Models in an application: options, keys, typed predictors.</summary>
public sealed class RegistrationTests : ServingFixture
{
    [Test]
    public async Task A_predictor_takes_floats_and_gives_floats()
    {
        IHost host = await StartAsync("digits", SaveMlp("digits.safetensors", 7));
        float[] x = Inputs(2);
        var arrays = host.Services.GetRequiredKeyedService<IPredictor<float[], float[]>>("digits");
        var memory = host.Services.GetRequiredKeyedService<IPredictor<ReadOnlyMemory<float>, float[]>>("digits");
        Assert.That(await arrays.PredictAsync(x), Is.EqualTo(Expected(7, x)).Within(1e-6));
        Assert.That(await memory.PredictAsync(x.AsMemory(0, 6)), Is.EqualTo(Expected(7, x[..6])).Within(1e-6));
        InferenceException refusal = Assert.ThrowsAsync<InferenceException>(async () => await arrays.PredictAsync(new float[7]))!;
        Assert.That(refusal.Message, Does.Contain("a multiple of 6 values").And.Contain("got 7"));
    }

    [Test]
    public async Task A_classifier_gives_its_label_with_the_probability()
    {
        IHost host = await StartAsync("pets", SaveMlp("pets.safetensors", 7, ["cat", "dog", "hamster"]));
        float[] x = Inputs(1);
        float[] logits = Expected(7, x);
        int best = Array.IndexOf(logits, logits.Max());
        double probability = 1 / logits.Sum(logit => Math.Exp(logit - logits[best]));
        var predictor = host.Services.GetRequiredKeyedService<IPredictor<float[], ClassPrediction>>("pets");
        ClassPrediction prediction = await predictor.PredictAsync(x);
        Assert.Multiple(() =>
        {
            Assert.That(prediction.Index, Is.EqualTo(best));
            Assert.That(prediction.Label, Is.EqualTo(new[] { "cat", "dog", "hamster" }[best]));
            Assert.That(prediction.Probability, Is.EqualTo(probability).Within(1e-5));
            Assert.That(Model(host, "pets").Outputs[0].ClassNames, Is.EqualTo(new[] { "cat", "dog", "hamster" }));
        });
    }

    [Test]
    public async Task Probabilities_are_taken_as_they_are()
    {
        var model = new Sequential(new Dense(3), new Softmax());
        model.Build(new Shape(6), seed: 4);
        model.Save(At("pets.safetensors"));
        IHost host = await StartAsync("pets", "pets.safetensors", options =>
        {
            foreach (string label in new[] { "cat", "dog", "hamster" })
            {
                options.Labels.Add(label);
            }
        });
        float[] x = Inputs(1);
        float[] scores = await host.Services.GetRequiredKeyedService<IPredictor<float[], float[]>>("pets").PredictAsync(x);
        ClassPrediction prediction = await host.Services
            .GetRequiredKeyedService<IPredictor<float[], ClassPrediction>>("pets").PredictAsync(x);
        Assert.That(prediction.Probability, Is.EqualTo(scores.Max()).Within(1e-6));
        Assert.That(prediction.Label, Is.Not.EqualTo("0"));
    }

    [Test]
    public async Task Converters_of_the_users_own_make_a_typed_predictor()
    {
        SaveMlp("digits.safetensors", 7);
        IHost host = await StartAsync(add: models => models
            .AddModel("digits", options => options.FromFile("digits.safetensors"))
            .AddPredictor<string, int>(
                "digits",
                (call, text) => MemoryMarshal.Cast<byte, float>(call.SetInput(0, [1, 6])).Fill(text.Length),
                call => call.OutputDimensions(0)[1]));
        Assert.That(await host.Services.GetRequiredService<IPredictor<string, int>>().PredictAsync("four"), Is.EqualTo(3));
        Assert.That(
            host.Services.GetRequiredKeyedService<IPredictor<string, int>>("digits"),
            Is.SameAs(host.Services.GetRequiredService<IPredictor<string, int>>()));
    }

    [Test]
    public async Task Weights_go_into_a_network_that_code_makes()
    {
        Mlp(9).SaveWeights(At("weights.safetensors"));
        IHost host = await StartAsync(add: models => models.AddModel(
            "digits", options => options.FromSafetensors("weights.safetensors", () => Mlp(1))));
        Assert.That(await CallAsync(Model(host, "digits"), Inputs(2)), Is.EqualTo(Expected(9, Inputs(2))).Within(1e-6));
    }

    [Test]
    public async Task Options_come_from_configuration()
    {
        SaveMlp("digits.safetensors", 7);
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["FastNN:Threads"] = "1",
            ["FastNN:WatchFiles"] = "false",
            ["FastNN:Batching:MaxBatch"] = "5",
            ["FastNN:Models:digits:File"] = "digits.safetensors",
            ["FastNN:Models:digits:MaxExamples"] = "3",
            ["FastNN:Models:digits:Labels:0"] = "a",
            ["FastNN:Models:digits:Labels:1"] = "b",
            ["FastNN:Models:digits:Labels:2"] = "c",
            ["FastNN:Models:digits:WarmUpDimensions:input:0"] = "1",
            ["FastNN:Models:digits:WarmUpDimensions:input:1"] = "6",
        }).Build();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = Folder });
        builder.Services.AddFastNN(configuration.GetSection("FastNN"));
        using IHost host = builder.Build();
        await host.StartAsync();
        FastNNOptions options = host.Services.GetRequiredService<IOptions<FastNNOptions>>().Value;
        Assert.Multiple(() =>
        {
            Assert.That(options.Batching.MaxBatch, Is.EqualTo(5));
            Assert.That(options.Models["digits"].WarmUpDimensions["input"], Is.EqualTo(new[] { 1, 6 }));
            Assert.That(Model(host, "digits").Outputs[0].ClassNames, Is.EqualTo(new[] { "a", "b", "c" }));
            using ModelCall call = Model(host, "digits").Begin();
            Refusal(() => call.SetInput(0, [4, 6]), InferenceFailure.InvalidInput);
        });
        await host.StopAsync();
    }

    [Test]
    public void Wrong_options_are_all_said_when_the_service_starts()
    {
        IHost host = Create(
            options =>
            {
                options.Device = "tpu";
                options.Threads = -1;
                options.Batching.MaxBatch = 0;
            },
            models => models.AddModel("../digits", options => options.FromFile("digits.pt")).AddModel("none", _ => { }));
        OptionsValidationException exception = Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync())!;
        string all = string.Join("\n", exception.Failures);
        Assert.That(all, Does.Contain("'tpu'").And.Contain("Threads").And.Contain("MaxBatch").And.Contain("'../digits'")
            .And.Contain("'digits.pt'").And.Contain("'none': expected a file"));
    }

    [Test]
    public async Task Labels_of_another_number_than_classes_are_refused()
    {
        SaveMlp("pets.safetensors", 7);
        IHost host = await StartAsync(
            options => options.RequireModels = false,
            models => models.AddModel("pets", options => options.FromFile("pets.safetensors").Labels.Add("cat")));
        ModelStatus status = Catalog(host).List().Single();
        Assert.That(status.State, Is.EqualTo(ModelState.Failed));
        Assert.That(status.Reason, Does.Contain("each of the 3 classes").And.Contain("got 1 labels"));
    }

    [Test]
    public void A_service_does_not_start_without_a_model_that_is_required()
    {
        IHost host = Create(add: models => models.AddModel("digits", options => options.FromFile("missing.onnx")));
        InferenceException exception = Assert.ThrowsAsync<InferenceException>(() => host.StartAsync())!;
        Assert.That(exception.Message, Does.Contain("'digits'").And.Not.Contain(Folder).And.Not.Contain("missing"));
        Assert.That(Log.Lines, Has.Some.Contain(At("missing.onnx")));
    }

    [Test]
    public async Task A_device_of_the_callers_own_is_used_and_left_open()
    {
        SaveMlp("digits.safetensors", 7);
        using var device = Device.Cpu(1);
        IHost host = await StartAsync(
            options => options.UseDevice(device),
            models => models.AddModel("digits", options => options.FromFile("digits.safetensors")));
        Assert.That(device.Memory.LiveBlocks, Is.Positive);
        await host.StopAsync();
        Assert.That(device.Memory.LiveBytes, Is.Zero);
        using Predictor other = Mlp(7).CreatePredictor(device);
        other.Predict(Inputs(1), new float[3]);
    }
}
