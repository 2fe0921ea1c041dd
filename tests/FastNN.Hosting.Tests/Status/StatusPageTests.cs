using System.Text.Json;
using FastNN.Formats;
using FastNN.Onnx;
using FastNN.Testing;
using FastNN.Testing.Browser;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.Tests.StatusPages;

/// <summary>The status page in a browser, against a service with a network that knows digits.</summary>
[NonParallelizable]
public sealed class StatusPageTests : FolderFixture
{
    private const string Requests = "+document.querySelector('[data-calls]').textContent.split(' ')[0]";

    [Test]
    public async Task A_browser_shows_models_and_load_and_has_a_dropped_digit_classified()
    {
        Chromium.FindOrIgnore();
        Digits.Train().Save(At("digits.safetensors"), new SaveOptions { ClassNames = Digits.Names });
        await using StatusServer server = await ServeDigitsAndPricesAsync();
        using Chromium browser = await Chromium.StartAsync();
        await using BrowserPage page = await browser.OpenAsync();
        await page.SetSizeAsync(1280, 900);
        await page.GoAsync(new Uri(server.Address, "status"));
        await page.WaitForAsync("document.querySelectorAll('#models [data-model]').length === 2");
        await page.WaitForAsync("document.getElementById('state').textContent === 'ready'");
        string models = (await page.EvaluateAsync("document.getElementById('models').innerText")).GetString()!;
        JsonElement choices = await page.EvaluateAsync(
            "[...document.querySelectorAll('#picture-model option')].map(one => one.value).join()");
        Assert.That(models, Does.Contain("digits").And.Contain("prices"));
        Assert.That(models, Does.Contain("FP32 [any, 12, 12, 1]").And.Contain("10 classes"));
        Assert.That(choices.GetString(), Is.EqualTo("digits/1"), "the table is no image");

        await LoadAsync(server);
        await page.WaitForAsync($"{Requests} >= 200");
        await page.WaitForAsync("""
            document.querySelector("#chart-load polyline.s0")?.getAttribute("points").split(" ")
              .some(point => +point.split(",")[1] < 129)
            """);
        await page.WaitForAsync("/median [0-9.e-]+/.test(document.querySelector('#chart-latency .legend').textContent)");

        await DropAsync(page, PngWriter.Encode(Digits.Draw(7, 4, 2), Digits.Size, Digits.Size, 1));
        await page.WaitForAsync("document.querySelector('#picture-result .name') !== null");
        JsonElement shown = await page.EvaluateAsync(
            "[...document.querySelectorAll('#picture-result .name')].map(one => one.textContent).join()");
        double share = (await page.EvaluateAsync(
            "parseFloat(document.querySelector('#picture-result .share').textContent)")).GetDouble();
        Assert.That(shown.GetString(), Does.StartWith("seven,"));
        Assert.That(share, Is.GreaterThan(50));
        float[] scores = await server.Services.GetRequiredKeyedService<IPredictor<float[], float[]>>("digits")
            .PredictAsync([.. Digits.Draw(7, 4, 2).Select(pixel => pixel / 255f)]);
        double sum = scores.Sum(score => Math.Exp(score));
        Assert.That(share, Is.EqualTo(100 * Math.Exp(scores[7]) / sum).Within(0.06), "the page shows what the model says");

        await DropAsync(page, "no image"u8.ToArray());
        await page.WaitForAsync("document.querySelector('#picture-result').textContent.includes('not an image')");
        await DropAsync(page, PngWriter.Encode(Digits.Draw(7, 4, 2), Digits.Size, Digits.Size, 1));
        await page.WaitForAsync("document.querySelector('#picture-result .name') !== null");
        await KeepAsync(page, "status-1280.png");
        await page.SetSizeAsync(390, 844, dark: true);
        await AssertIsUsableAsync(page);
        await KeepAsync(page, "status-390.png");
        Assert.That(page.Errors, Is.Empty);
    }

    [Test]
    public async Task With_keys_the_page_asks_for_one_and_keeps_it_in_the_tab()
    {
        Chromium.FindOrIgnore();
        const string Key = "a-key-for-the-status-page-of-a-test";
        File.WriteAllText(At("keys"), $"page metrics sha256:{ApiKeyHash(Key)}\n");
        var network = new Sequential(new Dense(2));
        network.Build(new Shape(3), seed: 1);
        network.Save(At("net.safetensors"));
        await using StatusServer server = await StatusServer.StartAsync(
            models => models.AddModel("net", options => options.FromFile(At("net.safetensors"))),
            security: options => options.ApiKeyFile = At("keys"));
        using Chromium browser = await Chromium.StartAsync();
        await using BrowserPage page = await browser.OpenAsync();
        await page.GoAsync(new Uri(server.Address, "status"));
        await page.WaitForAsync("!document.getElementById('key-form').hidden");
        await page.EvaluateAsync($"document.getElementById('key').value = '{Key}'");
        await page.EvaluateAsync("document.querySelector('#key-form button').click()");
        await page.WaitForAsync("document.querySelectorAll('#models [data-model]').length === 1");
        await page.GoAsync(new Uri(server.Address, "status"));
        await page.WaitForAsync("document.querySelectorAll('#models [data-model]').length === 1");
        await page.EvaluateAsync("document.getElementById('key-forget').click()");
        await page.WaitForAsync("document.getElementById('state').textContent === 'locked'");
        Assert.That(page.Errors, Has.All.Contains("401"), "refused requests are what the console tells of");
    }

    [Test]
    [Explicit("draws the picture of docs/serving-monitoring.md into the folder of FASTNN_SCREENSHOTS, in two minutes")]
    public async Task Draw_the_picture_of_the_page_about_monitoring()
    {
        Digits.Train().Save(At("digits.safetensors"), new SaveOptions { ClassNames = Digits.Names });
        TrainingStatistics.Of(Digits.Examples()).AddTo(At("digits.safetensors"));
        await using StatusServer server = await ServeDigitsAndPricesAsync();
        using Chromium browser = await Chromium.StartAsync();
        await using BrowserPage page = await browser.OpenAsync();
        await page.SetSizeAsync(1000, 900);
        await page.GoAsync(new Uri(server.Address, "status"));
        var predictor = server.Services.GetRequiredKeyedService<IPredictor<float[], float[]>>("digits");
        float[] image = [.. Digits.Draw(3, 2, 2).Select(pixel => pixel / 255f)];
        for (int second = 0; second < 115; second++)
        {
            Task pause = Task.Delay(1000);
            for (int i = 0; i < 30 + (20 * Math.Sin(second / 9.0)); i++)
            {
                await Task.WhenAll(Enumerable.Range(0, 1 + (i % 4)).Select(_ => predictor.PredictAsync(image).AsTask()));
            }

            await pause;
        }

        await DropAsync(page, PngWriter.Encode(Digits.Draw(7, 4, 2), Digits.Size, Digits.Size, 1));
        await page.WaitForAsync("document.querySelector('#picture-result .name') !== null");
        await KeepAsync(page, "serving-status.png");
    }

    /// <summary>Serves the digits that were saved, and a network of tables.</summary>
    private Task<StatusServer> ServeDigitsAndPricesAsync()
    {
        var table = new Sequential(new Dense(8, Activation.ReLU), new Dense(1));
        table.Build(new Shape(13), seed: 1);
        table.ExportOnnx(At("prices.onnx"));
        return StatusServer.StartAsync(models => models
            .AddModel("digits", options => options.FromFile(At("digits.safetensors")))
            .AddModel("prices", options => options.FromFile(At("prices.onnx"))));
    }

    private static string ApiKeyHash(string key) => Convert.ToHexStringLower(
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key)));

    /// <summary>Calls a model as a client would.</summary>
    private static async Task LoadAsync(StatusServer server)
    {
        var predictor = server.Services.GetRequiredKeyedService<IPredictor<float[], float[]>>("digits");
        var image = new float[Digits.Size * Digits.Size];
        for (int i = 0; i < 200; i++)
        {
            await predictor.PredictAsync(image);
        }
    }

    /// <summary>Drops a file on the page, as a hand would with a mouse.</summary>
    private static async Task DropAsync(BrowserPage page, byte[] content) => await page.EvaluateAsync($$"""
        (() => {
          const bytes = Uint8Array.from(atob("{{Convert.ToBase64String(content)}}"), letter => letter.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "digit.png", { type: "image/png" }));
          const target = document.getElementById("drop");
          for (const kind of ["dragenter", "dragover", "drop"]) {
            target.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
          }
        })()
        """);

    /// <summary>Keeps a picture of the page where FASTNN_SCREENSHOTS names a folder.</summary>
    private static async Task KeepAsync(BrowserPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("FASTNN_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, name), await page.ScreenshotAsync());
        }
    }

    /// <summary>Nothing is wider than the window, every field has a name, and what changes is read out.</summary>
    private static async Task AssertIsUsableAsync(BrowserPage page)
    {
        JsonElement faults = await page.EvaluateAsync("""
            [
              document.documentElement.scrollWidth > innerWidth && "wider than the window",
              ...[...document.querySelectorAll("input, select")].filter(one => !one.labels.length)
                .map(one => one.id + " has no label"),
              ...[...document.querySelectorAll("svg")].filter(one => !one.getAttribute("aria-label"))
                .map(() => "a chart has no text"),
              !document.querySelector("#message[aria-live]") && "no live region",
              getComputedStyle(document.body).backgroundColor !== "rgb(20, 24, 28)" && "not dark",
            ].filter(Boolean).join()
            """);
        Assert.That(faults.GetString(), Is.Empty);
    }
}
