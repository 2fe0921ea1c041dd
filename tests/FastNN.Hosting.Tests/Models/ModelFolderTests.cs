using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Models;

/// <summary>A folder of models: names, versions, policies, and what stays outside.</summary>
public sealed class ModelFolderTests : ServingFixture
{
    [Test]
    public async Task The_highest_version_answers_unless_another_is_asked_for()
    {
        SaveMlp("models/digits/2/model.safetensors", 2);
        ExportMlp("models/digits/10/model.onnx", 10);
        ModelCatalog catalog = Catalog(await ServeAsync());
        Assert.That(Text(catalog), Is.EqualTo("digits 2 Unloaded, digits 10 Ready"));
        Assert.That(catalog.IsReady, Is.True);
        Assert.That(await CallAsync(catalog.Find("digits", null), Inputs(1)), Is.EqualTo(Expected(10, Inputs(1))).Within(1e-5));
        Assert.That(
            Refusal(() => catalog.Find("digits", "2"), InferenceFailure.NotReady).Message,
            Does.Contain("version 2, is not loaded"));
        await catalog.LoadAsync("digits", "2");
        Assert.That(await CallAsync(catalog.Find("digits", "2"), Inputs(1)), Is.EqualTo(Expected(2, Inputs(1))).Within(1e-5));
        Assert.That(catalog.Find("digits", "").Version, Is.EqualTo("10"));
        await catalog.UnloadAsync("digits", "10");
        Assert.That(catalog.Find("digits", null).Version, Is.EqualTo("2"));
        await catalog.UnloadAsync("digits");
        Assert.That(catalog.TryGet("digits", null, out _), Is.False);
        await catalog.LoadAsync("digits");
        Assert.That(Text(catalog), Is.EqualTo("digits 2 Unloaded, digits 10 Ready"));
    }

    [TestCase("""{ "versions": { "all": true } }""", "1 Ready, 2 Ready, 3 Ready")]
    [TestCase("""{ "versions": { "latest": 2 } }""", "1 Unloaded, 2 Ready, 3 Ready")]
    [TestCase("""{ "versions": { "specific": [1, 3, 7] } }""", "1 Ready, 2 Unloaded, 3 Ready")]
    [TestCase("""{ /* a remark */ "maxExamples": 2, }""", "1 Unloaded, 2 Unloaded, 3 Ready")]
    public async Task A_policy_says_which_versions_are_loaded(string settings, string expected)
    {
        for (ulong version = 1; version <= 3; version++)
        {
            SaveMlp($"models/digits/{version}/model.safetensors", version);
        }

        File.WriteAllText(At("models/digits/model.json"), settings);
        Assert.That(Text(Catalog(await ServeAsync())).Replace("digits ", ""), Is.EqualTo(expected));
    }

    [TestCase("""{ "versions": { "all": true, "latest": 1 } }""", "exactly one of")]
    [TestCase("""{ "versions": { "latest": 0 } }""", "'latest' below 1")]
    [TestCase("""{ "maxExampels": 3 }""", "maxExampels")]
    [TestCase("""{ "batching": { "maxBatch": 0 } }""", "MaxBatch")]
    [TestCase("""{ "labels": ["a", "b"] }""", "each of the 3 classes")]
    [TestCase("[", "model.json")]
    public async Task Malformed_settings_fail_the_model_and_say_why(string settings, string reason)
    {
        SaveMlp("models/digits/1/model.safetensors", 1);
        SaveMlp("models/letters/1/model.safetensors", 1);
        File.WriteAllText(At("models/digits/model.json"), settings);
        ModelCatalog catalog = Catalog(await ServeAsync());
        ModelStatus status = catalog.List()[0];
        Assert.Multiple(() =>
        {
            Assert.That(Text(catalog), Is.EqualTo("digits 1 Failed, letters 1 Ready"));
            Assert.That(status.Reason, Does.Contain(reason).And.Not.Contain(Folder));
            Assert.That(catalog.IsReady, Is.False);
            Assert.That(Refusal(() => catalog.Find("digits", null), InferenceFailure.NotReady).Message, Does.Contain(reason));
        });
    }

    [Test]
    public async Task Settings_of_a_model_come_before_those_of_the_service()
    {
        SaveMlp("models/digits/1/model.safetensors", 1);
        File.WriteAllText(At("models/digits/model.json"), """
            { "maxExamples": 2, "labels": ["a", "b", "c"], "batching": { "maxBatch": 2, "maxDelayMilliseconds": 0.5 } }
            """);
        IModel model = Catalog(await ServeAsync()).Find("digits", null);
        Assert.That(model.Outputs[0].ClassNames, Is.EqualTo(new[] { "a", "b", "c" }));
        ServingSettings settings = ((ServedModel)model).Current!.Settings;
        Assert.That(settings.Batching.MaxBatch, Is.EqualTo(2));
        Assert.That(settings.Batching.MaxDelay, Is.EqualTo(TimeSpan.FromMicroseconds(500)));
        Assert.That(settings.Batching.QueueLength, Is.EqualTo(new BatchingOptions().QueueLength));
        using ModelCall call = model.Begin();
        Refusal(() => call.SetInput(0, [3, 6]), InferenceFailure.InvalidInput);
    }

    [TestCase("..")]
    [TestCase(".")]
    [TestCase("")]
    [TestCase("../outside")]
    [TestCase("digits/1")]
    [TestCase("digits\\1")]
    [TestCase("/etc")]
    [TestCase("digits\0")]
    [TestCase("digits\n")]
    [TestCase(" digits")]
    [TestCase("C:digits")]
    [TestCase("nul")]
    [TestCase("Com1.onnx")]
    [TestCase("digits.")]
    [TestCase(".hidden")]
    public async Task A_name_cannot_leave_the_folder(string name)
    {
        SaveMlp("models/digits/1/model.safetensors", 1);
        SaveMlp("outside/1/model.safetensors", 1);
        SaveMlp("models/.hidden/1/model.safetensors", 1);
        ModelCatalog catalog = Catalog(await ServeAsync());
        InferenceException exception = Assert.ThrowsAsync<InferenceException>(() => catalog.LoadAsync(name))!;
        Assert.That(exception.Failure, Is.EqualTo(InferenceFailure.NotFound));
        Assert.That(exception.Message, Does.Not.Contain(Folder));
        Assert.That(catalog.TryGet(name, null, out _), Is.False);
        Assert.That(ModelName.Fault(name), Is.Not.Null);
        Assert.That(Text(catalog), Is.EqualTo("digits 1 Ready"));
    }

    [TestCase("digits")]
    [TestCase("Digits-2.1_x")]
    [TestCase("цифры")]
    public void A_plain_name_is_allowed(string name) => Assert.That(ModelName.Fault(name), Is.Null);

    [Test]
    [Platform(Exclude = "Win")]
    public async Task A_link_cannot_leave_the_folder()
    {
        SaveMlp("outside/1/model.safetensors", 1);
        SaveMlp("models/inside/1/model.safetensors", 1);
        Directory.CreateSymbolicLink(At("models/stranger"), At("outside"));
        Directory.CreateDirectory(At("models/version"));
        Directory.CreateSymbolicLink(At("models/version/1"), At("outside/1"));
        Directory.CreateDirectory(At("models/file/1"));
        File.CreateSymbolicLink(At("models/file/1/model.safetensors"), At("outside/1/model.safetensors"));
        Directory.CreateSymbolicLink(At("models/alias"), At("models/inside"));
        Directory.CreateSymbolicLink(At("models/round"), At("models/round"));
        ModelCatalog catalog = Catalog(await ServeAsync());
        Assert.That(Text(catalog), Is.EqualTo("alias 1 Ready, inside 1 Ready"));
        Assert.That(Log.Lines, Has.Some.Contain("stranger").And.Some.Contain("out of the folder"));
        foreach (string name in new[] { "stranger", "version", "file", "round" })
        {
            Assert.ThrowsAsync<InferenceException>(() => catalog.LoadAsync(name), name);
        }
    }

    [Test]
    public async Task A_file_that_is_no_model_fails_alone_and_names_no_path(
        [Values("model.onnx", "model.safetensors")] string file)
    {
        SaveMlp("models/digits/1/model.safetensors", 1);
        Directory.CreateDirectory(At("models/broken/1"));
        File.WriteAllText(At($"models/broken/1/{file}"), "no model at all, and long enough to be looked at");
        ModelCatalog catalog = Catalog(await ServeAsync());
        Assert.Multiple(() =>
        {
            Assert.That(Text(catalog), Is.EqualTo("broken 1 Failed, digits 1 Ready"));
            Assert.That(catalog.List()[0].Reason, Does.Contain("malformed").And.Not.Contain(Folder).And.Not.Contain("model."));
            Assert.That(
                Assert.ThrowsAsync<InferenceException>(() => catalog.LoadAsync("broken"))!.Message, Does.Not.Contain(Folder));
        });
    }

    [Test]
    public async Task Models_that_are_put_into_the_folder_are_found_on_demand()
    {
        Directory.CreateDirectory(At("models"));
        ModelCatalog catalog = Catalog(await ServeAsync());
        Assert.That(catalog.IsReady, Is.True);
        SaveMlp("models/late/1/model.safetensors", 1);
        await catalog.LoadAsync("late");
        Assert.That(Text(catalog), Is.EqualTo("late 1 Ready"));
        Assert.That(
            Assert.ThrowsAsync<InferenceException>(() => catalog.LoadAsync("late", "2"))!.Message, Does.Contain("no version 2"));
    }

    [Test]
    public async Task Statistics_of_the_data_stay_as_the_file_has_them()
    {
        SaveMlp("models/digits/1/model.safetensors", 1);
        string statistics = TrainingStatistics.Of(new float[3 * 6], [6]).ToJson();
        File.WriteAllText(
            At("models/digits/model.json"), $$"""{ "statistics": {{statistics}}, "callTimeoutMilliseconds": 250 }""");
        ServedModel model = Catalog(await ServeAsync()).Entry("digits").Find("1")!;
        Assert.That(model.Current!.Settings.Statistics?.GetProperty("examples").GetInt32(), Is.EqualTo(3));
        Assert.That(model.Current.Settings.CallTimeout, Is.EqualTo(TimeSpan.FromMilliseconds(250)));
    }

    [TestCase("""{ "statistics": [1] }""", "'statistics' that are no object")]
    [TestCase("""{ "callTimeoutMilliseconds": 0 }""", "'callTimeoutMilliseconds' outside of 0")]
    public async Task Settings_that_are_wrong_fail_the_model(string manifest, string reason)
    {
        SaveMlp("models/digits/1/model.safetensors", 1);
        File.WriteAllText(At("models/digits/model.json"), manifest);
        ModelCatalog catalog = Catalog(await ServeAsync());
        Assert.That(Text(catalog), Is.EqualTo("digits 1 Failed"));
        Assert.That(catalog.List()[0].Reason, Does.Contain(reason));
    }

    private Task<IHost> ServeAsync() => StartAsync(options => options.FromFolder("models"));

    private static string Text(ModelCatalog catalog) =>
        string.Join(", ", catalog.List().Select(status => $"{status.Name} {status.Version} {status.State}"));
}
