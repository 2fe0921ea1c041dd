using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using FastNN.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.Tests.StatusPages;

/// <summary>What the status page is made of, without a browser.</summary>
public sealed partial class StatusEndpointTests : FolderFixture
{
    [Test]
    public async Task The_page_and_its_files_come_from_the_service_alone()
    {
        await using StatusServer server = await StatusServer.StartAsync();
        using HttpResponseMessage page = await server.Client.GetAsync("/status");
        string text = await page.Content.ReadAsStringAsync();
        string[] links = [.. Links().Matches(text).Select(link => link.Groups[1].Value)];
        Assert.That(links, Does.Contain("status/files/status.js").And.Contains("status/files/status.css"));
        Assert.Multiple(() =>
        {
            Assert.That(page.Content.Headers.ContentType!.ToString(), Is.EqualTo("text/html; charset=utf-8"));
            Assert.That(
                page.Headers.GetValues("Content-Security-Policy").Single(),
                Does.StartWith("default-src 'none'; script-src 'self';"));
            Assert.That(text, Does.Not.Contain("<style").And.Not.Contain("style=").And.Not.Match(@"<script[^>]*>[^<]"));
            Assert.That(text, Does.Not.Match(@"\son[a-z]+="), "no handlers in the page");
        });
        foreach (string link in links.Where(link => link.StartsWith("status/", StringComparison.Ordinal)))
        {
            using HttpResponseMessage file = await server.Client.GetAsync("/" + link);
            string content = await file.Content.ReadAsStringAsync();
            Assert.That(file.StatusCode, Is.EqualTo(HttpStatusCode.OK), link);
            Assert.That(file.Headers.GetValues("X-Content-Type-Options").Single(), Is.EqualTo("nosniff"));
            Assert.That(
                content.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal),
                Does.Not.Contain("://").And.Not.Contain("innerHTML"));

            using var again = new HttpRequestMessage(HttpMethod.Get, "/" + link);
            again.Headers.IfNoneMatch.Add(file.Headers.ETag!);
            using HttpResponseMessage unchanged = await server.Client.SendAsync(again);
            Assert.That(unchanged.StatusCode, Is.EqualTo(HttpStatusCode.NotModified), link);
        }

        using HttpResponseMessage missing = await server.Client.GetAsync("/status/files/status.html");
        using var head = new HttpRequestMessage(HttpMethod.Head, "/status");
        using HttpResponseMessage headers = await server.Client.SendAsync(head);
        Assert.That(missing.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(headers.Content.Headers.ContentLength, Is.EqualTo(page.Content.Headers.ContentLength));
    }

    [Test]
    public async Task Below_a_path_its_links_hold_and_a_slash_behind_leads_back()
    {
        await using StatusServer server = await StatusServer.StartAsync(map: app =>
        {
            app.MapGroup("/ops").MapFastNNStatus("inner/state");
            app.MapFastNN(options => options.Prefix = "/ai");
        });
        string page = await server.Client.GetStringAsync("/ops/inner/state");
        using JsonDocument models = JsonDocument.Parse(await server.Client.GetStringAsync("/ops/inner/state/models"));
        string inference = models.RootElement.GetProperty("inference").GetString()!;
        using HttpResponseMessage slash = await server.Client.GetAsync("/ops/inner/state/");
        Assert.Multiple(() =>
        {
            Assert.That(page, Does.Contain("\"state/files/status.js\""));
            Assert.That(
                new Uri(new Uri("http://host/ops/inner/state"), inference).AbsolutePath, Is.EqualTo("/ai/v2/models/"));
            Assert.That(
                new Uri(new Uri("http://host/ops/inner/state/"), slash.Headers.Location!).AbsolutePath,
                Is.EqualTo("/ops/inner/state"));
        });
    }

    [Test]
    public async Task Models_are_told_with_tensors_and_classes_and_data_with_counts()
    {
        var network = new Sequential(new Flatten(), new Dense(2));
        network.Build(new Shape(4, 4, 1), seed: 1);
        network.Save(At("net.safetensors"), new SaveOptions { ClassNames = ["no", "yes"] });
        await using StatusServer server = await StatusServer.StartAsync(
            models => models.AddModel("net", options => options.FromFile(At("net.safetensors"))));
        using JsonDocument before = JsonDocument.Parse(await server.Client.GetStringAsync("/status/data"));
        var predictor = server.Services.GetRequiredKeyedService<IPredictor<float[], float[]>>("net");
        for (int i = 0; i < 5; i++)
        {
            await predictor.PredictAsync(new float[16]);
        }

        using JsonDocument models = JsonDocument.Parse(await server.Client.GetStringAsync("/status/models"));
        using JsonDocument after = JsonDocument.Parse(await server.Client.GetStringAsync("/status/data"));
        JsonElement model = models.RootElement.GetProperty("models")[0], data = after.RootElement.GetProperty("models")[0];
        Assert.Multiple(() =>
        {
            Assert.That(models.RootElement.GetProperty("inference").GetString(), Is.EqualTo("v2/models/"));
            Assert.That(models.RootElement.GetProperty("device").GetString(), Is.Not.Empty);
            Assert.That(model.GetProperty("name").GetString(), Is.EqualTo("net"));
            Assert.That(model.GetProperty("state").GetString(), Is.EqualTo("ready"));
            Assert.That(model.GetProperty("inputs")[0].GetProperty("datatype").GetString(), Is.EqualTo("FP32"));
            Assert.That(
                model.GetProperty("inputs")[0].GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt32()),
                Is.EqualTo(new[] { -1, 4, 4, 1 }));
            Assert.That(
                model.GetProperty("outputs")[0].GetProperty("classes").EnumerateArray().Select(name => name.GetString()),
                Is.EqualTo(new[] { "no", "yes" }));
            Assert.That(
                after.RootElement.GetProperty("revision").GetInt32(),
                Is.EqualTo(models.RootElement.GetProperty("revision").GetInt32()));
            Assert.That(before.RootElement.GetProperty("models")[0].GetProperty("requests").GetInt64(), Is.Zero);
            Assert.That(data.GetProperty("requests").GetInt64(), Is.EqualTo(5));
            Assert.That(data.GetProperty("failures").GetInt64(), Is.Zero);
            Assert.That(data.GetProperty("latency").EnumerateArray().Sum(count => count.GetInt64()), Is.EqualTo(5));
            Assert.That(
                data.GetProperty("latency").GetArrayLength(),
                Is.EqualTo(after.RootElement.GetProperty("bounds").GetArrayLength() + 1));
            Assert.That(after.RootElement.GetProperty("memory").GetProperty("managed").GetInt64(), Is.Positive);
            Assert.That(
                after.RootElement.GetProperty("memory").GetProperty("devices")[0].GetProperty("used").GetInt64(), Is.Positive);
        });
    }

    [Test]
    public void Without_FastNN_it_says_what_is_missing()
    {
        using WebApplication app = WebApplication.CreateSlimBuilder().Build();
        Assert.That(() => app.MapFastNNStatus(), Throws.InvalidOperationException.With.Message.Contains("AddFastNN"));
    }

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Links();
}
