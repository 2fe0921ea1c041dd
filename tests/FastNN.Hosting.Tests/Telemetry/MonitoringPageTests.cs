using FastNN.Data;
using FastNN.Onnx;
using FastNN.Hosting.Tests.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.Tests.Telemetry;

/// <summary>The code of docs/serving-monitoring.md, compiled and run as it stands there.</summary>
public sealed class MonitoringPageTests : PageFixture
{
    [Test]
    public async Task The_code_runs()
    {
        var network = new Sequential(new Dense(5, Activation.ReLU), new Dense(1));
        network.Build(new Shape(4), seed: 1);
        Directory.CreateDirectory("models/prices/1");
        Directory.CreateDirectory("models/houses/1");
        network.Save("models/prices/1/model.safetensors");
        network.ExportOnnx("models/houses/1/model.onnx");
        Measure(Dataset.FromFloats(new float[4 * 50], [4], new float[50], [1]));
        await using WebApplication app = Map();
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        foreach (string path in (string[])["v2", "status", "status/data", "metrics", "healthz/live", "healthz/ready"])
        {
            using HttpResponseMessage answer = await client.GetAsync(path);
            Assert.That(answer.IsSuccessStatusCode, path);
        }

        Assert.That(
            app.Services.GetRequiredService<IModelCatalog>().List()
                .Select(model => $"{model.Name} {model.State} {model.Reason}".Trim()),
            Is.EqualTo(new[] { "houses Ready", "prices Ready" }));
        await app.StopAsync();
    }

    [Test]
    public void Every_block_stands_in_this_file() =>
        Assert.That(PageCode.Missing("serving-monitoring.md", count: 2), Is.Empty);

    private static void Measure(Dataset train)
    {
        TrainingStatistics statistics = TrainingStatistics.Of(train);
        statistics.AddTo("models/prices/1/model.safetensors");      // in the file's metadata
        statistics.AddTo("models/houses/model.json");               // beside a model of any kind, for all of its versions
    }

    private static WebApplication Map()
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Services.AddFastNN(options => options.FromFolder("models"));
        builder.Services.AddHealthChecks().AddFastNN();
        WebApplication app = builder.Build();
        app.MapFastNN();              // the protocol
        app.MapFastNNStatus();        // /status: a page for people
        app.MapFastNNMetrics();       // /metrics: for Prometheus
        app.MapHealthChecks("/healthz/live", new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") });
        app.MapHealthChecks("/healthz/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
        return app;
    }
}
