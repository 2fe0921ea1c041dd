using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using FastNN.Hosting.Tests.Models;
using FastNN.Onnx;
using FastNN.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Tests.Guides;

/// <summary>The code of docs/guides/serving.md, as the page shows it, and what a caller gets.</summary>
internal sealed class ServingGuideTests : FolderFixture
{
    [Test]
    public async Task A_service_answers_what_the_page_shows()
    {
        string folder = WriteModel();
        WebApplication app = Build(["--urls", "http://127.0.0.1:0"], folder);
        await app.StartAsync();
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
            Assert.That((await client.GetAsync("v2/health/ready")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That((await client.GetAsync("metrics")).StatusCode, Is.EqualTo(HttpStatusCode.OK));

            string page = PageCode.Text(Path.Combine("guides", "serving.md"));
            using JsonDocument metadata = JsonDocument.Parse(await client.GetStringAsync("v2/models/sum"));
            string input = metadata.RootElement.GetProperty("inputs")[0].GetProperty("name").GetString()!;
            Assert.That(page, Does.Contain($"\"name\":\"{input}\""));
            string request = page.Split("-d '")[1].Split('\'')[0];
            using var content = new StringContent(request, new MediaTypeHeaderValue("application/json"));
            using HttpResponseMessage response = await client.PostAsync("v2/models/sum/infer", content);
            JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>();
            JsonElement output = answer.GetProperty("outputs")[0];
            Assert.That(output.GetProperty("shape").EnumerateArray().Select(item => item.GetInt32()), Is.EqualTo(new[] { 2, 1 }));
            Assert.That(
                output.GetProperty("data").EnumerateArray().Select(item => item.GetSingle()), Is.EqualTo(new[] { 6f, 15f }));
            Assert.That(page, Does.Contain($"\n{answer.GetRawText()}\n"));

            string models = await (await client.PostAsync("v2/repository/index", null)).Content.ReadAsStringAsync();
            Assert.That(page, Does.Contain($"\n{models.Trim()}\n"));
        }
        finally
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
    }

    private static WebApplication Build(string[] args, string folder)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
        builder.Services.AddFastNN(options => options.FromFolder(folder));      // NAME/VERSION/model.onnx
        builder.Services.AddHealthChecks().AddFastNN();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);

        WebApplication app = builder.Build();
        app.MapFastNN();                                                        // v2/..., the Open Inference Protocol
        app.MapFastNNMetrics();                                                 // metrics, for Prometheus
        app.MapHealthChecks("/health");
        return app;
    }

    /// <summary>A network that sums three numbers up.</summary>
    private string WriteModel()
    {
        var network = new Sequential(new Dense(1) { WeightInitializer = Initializer.Constant(1), UseBias = false });
        network.Build(new Shape(3));
        string path = At("models/sum/1/model.onnx");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        network.ExportOnnx(path);
        return At("models");
    }
}
