using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FastNN.Data;
using FastNN.Onnx;
using FastNN.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.Tests.Telemetry;

/// <summary>The code of docs/serving-monitoring.md, compiled and run as it stands there.</summary>
[NonParallelizable]
public sealed partial class MonitoringPageTests : FolderFixture
{
    private string _before = "";

    [SetUp]
    public void Enter()
    {
        _before = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(Folder);
    }

    [TearDown]
    public void Leave() => Directory.SetCurrentDirectory(_before);

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
    public void Every_block_stands_in_this_file()
    {
        string page = File.ReadAllText(Path.Combine(Here(), "..", "..", "..", "docs", "serving-monitoring.md"))
            .ReplaceLineEndings("\n");
        string[] blocks = [.. Block().Matches(page).Select(match => Squeeze(match.Groups[1].Value))];
        string source = Squeeze(File.ReadAllText(Path.Combine(Here(), "MonitoringPageTests.cs")));
        Assert.That(blocks, Has.Length.EqualTo(2));
        Assert.That(blocks.Where(block => !source.Contains(block, StringComparison.Ordinal)), Is.Empty);
    }

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

    private static string Squeeze(string text) => Blank().Replace(text, " ").Trim();

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
