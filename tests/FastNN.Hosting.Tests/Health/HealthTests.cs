using FastNN.Hosting;
using FastNN.Hosting.Tests.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FastNN.Hosting.Tests.Health;

/// <summary>What the health checks say of each state of the models.</summary>
internal sealed class HealthTests
{
    [TestCase("a/1 Ready", HealthStatus.Healthy, "1 models are ready.")]
    [TestCase("a/1 Ready, b/1 Loading", HealthStatus.Unhealthy, "Models that are being loaded: b/1.")]
    [TestCase("a/1 Ready, a/2 Failed", HealthStatus.Degraded, "Another version answers in place of: a/2 (bad file).")]
    [TestCase("a/1 Ready, b/1 Failed", HealthStatus.Unhealthy, "Models that could not be loaded: b/1 (bad file).")]
    [TestCase("a/1 Ready, b/1 Unloaded", HealthStatus.Healthy, "1 models are ready.")]
    public async Task Ready_says_which_models_are_not(string models, HealthStatus status, string description)
    {
        HealthReport report = await Check(models, HealthStatus.Unhealthy);
        Assert.Multiple(() =>
        {
            Assert.That(report.Entries["fastnn-ready"].Status, Is.EqualTo(status));
            Assert.That(report.Entries["fastnn-ready"].Description, Is.EqualTo(description));
            Assert.That(report.Entries["fastnn-live"].Status, Is.EqualTo(HealthStatus.Healthy));
            Assert.That(report.Entries["fastnn-ready"].Tags, Is.EqualTo(new[] { "ready" }));
            Assert.That(report.Entries["fastnn-live"].Tags, Is.EqualTo(new[] { "live" }));
        });
    }

    [Test]
    public async Task A_failed_model_can_be_made_to_count_as_degraded() =>
        Assert.That((await Check("a/1 Ready, b/1 Failed", HealthStatus.Degraded)).Status, Is.EqualTo(HealthStatus.Degraded));

    private static async Task<HealthReport> Check(string models, HealthStatus failure)
    {
        var catalog = new StillCatalog
        {
            Models =
            [
                .. models.Split(", ").Select(text => text.Split(' ', '/')).Select(parts => new ModelStatus(
                    parts[0], parts[1], Enum.Parse<ModelState>(parts[2]), parts[2] == "Failed" ? "bad file" : "")),
            ],
        };
        IServiceCollection services = new ServiceCollection().AddLogging().AddSingleton<IModelCatalog>(catalog);
        services.AddHealthChecks().AddFastNN(failure);
        await using ServiceProvider provider = services.BuildServiceProvider();
        return await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();
    }
}
