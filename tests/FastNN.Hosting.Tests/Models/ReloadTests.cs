using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Models;

/// <summary>Files that change under a service.</summary>
public sealed class ReloadTests : ServingFixture
{
    private int _writes;

    [TestCase("digits.safetensors")]
    [TestCase("digits.onnx")]
    public async Task Fifty_reloads_give_all_memory_back(string file)
    {
        Write(file, 1);
        using var device = Device.Cpu(1);
        IHost host = await StartAsync(
            options => options.UseDevice(device), models => models.AddModel("digits", options => options.FromFile(file)));
        IModel model = Model(host, "digits");
        await CallAsync(model, Inputs(3));
        DeviceMemory before = default;
        for (ulong i = 2; i <= 51; i++)
        {
            Write(file, i);
            await Catalog(host).LoadAsync("digits");
            Assert.That(await CallAsync(model, Inputs(3)), Is.EqualTo(Expected(i, Inputs(3))).Within(1e-5));
            if (i == 2)
            {
                before = device.Memory;
            }
        }

        DeviceMemory after = device.Memory;
        Assert.That(after.LiveBytes, Is.EqualTo(before.LiveBytes).Within(1).Percent);
        Assert.That(after.LiveBlocks, Is.EqualTo(before.LiveBlocks));
        await host.StopAsync();
        Assert.That(device.Memory.LiveBytes, Is.Zero);
    }

    [TestCase("digits.safetensors")]
    [TestCase("digits.onnx")]
    public async Task A_changed_file_is_loaded_when_it_has_been_the_same_for_two_looks(string file)
    {
        Write(file, 1);
        IHost host = await StartAsync("digits", file);
        IModel model = Model(host, "digits");
        await LookAsync(host, 3);
        Write(file, 2);
        await LookAsync(host, 1);
        Assert.That(await CallAsync(model, Inputs(1)), Is.EqualTo(Expected(1, Inputs(1))).Within(1e-5));
        await LookAsync(host, 1);
        Assert.That(await CallAsync(model, Inputs(1)), Is.EqualTo(Expected(2, Inputs(1))).Within(1e-5));
        Assert.That(Catalog(host).Statistics().Single().Inferences, Is.EqualTo(2), "a reload keeps the counts");
    }

    [TestCase("digits.safetensors")]
    [TestCase("digits.onnx")]
    public async Task A_half_written_file_changes_nothing_until_it_is_whole(string file)
    {
        Write(file, 1);
        IHost host = await StartAsync("digits", file);
        IModel model = Model(host, "digits");
        await LookAsync(host, 2);
        Write("next" + Path.GetExtension(file), 2);
        byte[] next = File.ReadAllBytes(At("next" + Path.GetExtension(file)));

        // Over the old one in its place, as a copy does, which cuts it short first.
        File.WriteAllBytes(At(file), next[..(next.Length / 2)]);
        await LookAsync(host, 3);
        Assert.Multiple(() =>
        {
            Assert.That(Log.Lines.Count(line => line.Contains("the model from before stays")), Is.EqualTo(1), "it is tried once");
            Assert.That(Catalog(host).List().Single().State, Is.EqualTo(ModelState.Ready));
            Assert.That(Catalog(host).IsReady, Is.True);
        });

        // Shapes that the model has not met need the weights once more.
        Assert.That(await CallAsync(model, Inputs(41)), Is.EqualTo(Expected(1, Inputs(41))).Within(1e-5));
        File.WriteAllBytes(At(file), next);
        await LookAsync(host, 2);
        Assert.That(await CallAsync(model, Inputs(2)), Is.EqualTo(Expected(2, Inputs(2))).Within(1e-5));
    }

    [Test]
    public async Task A_file_that_is_gone_leaves_the_model()
    {
        Write("digits.safetensors", 1);
        IHost host = await StartAsync("digits", "digits.safetensors");
        File.Delete(At("digits.safetensors"));
        await LookAsync(host, 3);
        Assert.That(await CallAsync(Model(host, "digits"), Inputs(1)), Is.EqualTo(Expected(1, Inputs(1))).Within(1e-6));
    }

    [Test]
    public async Task A_new_version_takes_over_and_the_old_one_goes()
    {
        SaveMlp("models/digits/1/model.safetensors", 1);
        IHost host = await StartAsync(options => options.FromFolder("models"));
        ModelCatalog catalog = Catalog(host);
        IModel model = Model(host, "digits");
        await LookAsync(host, 2);
        SaveMlp("models/digits/2/model.safetensors", 2);
        SaveMlp("models/letters/1/model.safetensors", 3);
        await LookAsync(host, 2);
        Assert.That(model.Version, Is.EqualTo("2"));
        Assert.That(
            catalog.List().Select(status => $"{status.Name} {status.Version} {status.State}"),
            Is.EqualTo(new[] { "digits 1 Unloaded", "digits 2 Ready", "letters 1 Ready" }));
        await catalog.UnloadAsync("digits");
        await LookAsync(host, 3);
        Assert.That(catalog.TryGet("digits", null, out _), Is.False, "what was unloaded on demand stays unloaded");
        File.WriteAllText(At("models/letters/model.json"), """{ "labels": ["a", "b", "c"] }""");
        await LookAsync(host, 2);
        Assert.That(Model(host, "letters").Outputs[0].ClassNames, Has.Count.EqualTo(3), "settings are read again");
    }

    [Test]
    public async Task Callers_notice_nothing_of_reloads()
    {
        Write("digits.safetensors", 1);
        IHost host = await StartAsync("digits", "digits.safetensors");
        IModel model = Model(host, "digits");
        float[] x = Inputs(2), first = Expected(1, x), second = Expected(2, x);
        using var stop = new CancellationTokenSource();
        Task<int>[] callers =
        [
            .. Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
            {
                int answers = 0;
                while (!stop.IsCancellationRequested)
                {
                    float[] y = await CallAsync(model, x);
                    Assert.That(Near(y, first) || Near(y, second), Is.True, "an answer of neither model");
                    answers++;
                }

                return answers;
            })),
        ];
        for (ulong i = 0; i < 20; i++)
        {
            Write("digits.safetensors", 1 + (i % 2));
            await Catalog(host).LoadAsync("digits");
        }

        await stop.CancelAsync();
        Assert.That(await Task.WhenAll(callers), Has.All.GreaterThan(0));
        Assert.That(Catalog(host).Statistics().Single().Fail.Count, Is.Zero);

        static bool Near(float[] left, float[] right) => left.Zip(right).All(pair => MathF.Abs(pair.First - pair.Second) < 1e-5f);
    }

    [Test]
    public async Task A_watched_file_is_loaded_without_being_asked()
    {
        Write("digits.safetensors", 1);
        IHost host = await StartAsync(
            options => (options.WatchFiles, options.WatchInterval) = (true, TimeSpan.FromMilliseconds(20)),
            models => models.AddModel("digits", options => options.FromFile("digits.safetensors")));
        Write("digits.safetensors", 2);
        float[] expected = Expected(2, Inputs(1));
        for (int i = 0; i < 500; i++)
        {
            float[] y = await CallAsync(Model(host, "digits"), Inputs(1));
            if (MathF.Abs(y[0] - expected[0]) < 1e-5f)
            {
                return;
            }

            await Task.Delay(20);
        }

        Assert.Fail("expected the changed model within 10 s");
    }

    private void Write(string file, ulong seed)
    {
        if (file.EndsWith(".onnx", StringComparison.Ordinal))
        {
            ExportMlp(file, seed);
        }
        else
        {
            SaveMlp(file, seed);
        }

        // Two within one tick of the file system's clock would look the same.
        File.SetLastWriteTimeUtc(At(file), DateTime.UtcNow.AddSeconds(++_writes));
    }

    private static async Task LookAsync(IHost host, int times)
    {
        for (int i = 0; i < times; i++)
        {
            await Catalog(host).RefreshAsync(default);
        }
    }
}
