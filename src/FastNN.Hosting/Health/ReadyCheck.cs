using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FastNN.Hosting;

/// <summary>Whether all models are warm.</summary>
internal sealed class ReadyCheck(IModelCatalog catalog) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<ModelStatus> all = catalog.List();
        IReadOnlyDictionary<string, object> data = all.ToDictionary(
            one => $"{one.Name}/{one.Version}",
            one => (object)(one.Reason.Length > 0 ? $"{one.State}: {one.Reason}" : one.State.ToString()));
        ModelStatus[] failed = [.. all.Where(one => one.State == ModelState.Failed)];
        ModelStatus[] without = [.. failed.Where(
            one => !all.Any(other => other.Name == one.Name && other.State == ModelState.Ready))];
        if (without.Length > 0)
        {
            return Task.FromResult(new HealthCheckResult(
                context.Registration.FailureStatus, $"Models that could not be loaded: {Describe(without)}.", data: data));
        }

        ModelStatus[] loading = [.. all.Where(one => one.State == ModelState.Loading
            && !all.Any(other => other.Name == one.Name && other.State == ModelState.Ready))];
        if (loading.Length > 0 || (failed.Length == 0 && !catalog.IsReady))
        {
            return Task.FromResult(HealthCheckResult.Unhealthy(
                loading.Length > 0 ? $"Models that are being loaded: {Describe(loading)}." : "Models are still to be loaded.",
                data: data));
        }

        return Task.FromResult(failed.Length > 0
            ? HealthCheckResult.Degraded(
                $"Another version answers in place of: {Describe(failed)}.", data: data)
            : HealthCheckResult.Healthy($"{all.Count(one => one.State == ModelState.Ready)} models are ready.", data));
    }

    private static string Describe(ModelStatus[] models) => string.Join("; ", models.Select(
        one => one.Reason.Length > 0 ? $"{one.Name}/{one.Version} ({one.Reason})" : $"{one.Name}/{one.Version}"));
}
