using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FastNN.Hosting;

/// <summary>
/// Whether the process answers. It asks for no model: a service that is restarted because a model's file is bad would load the
/// same file again.
/// </summary>
internal sealed class LiveCheck : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(HealthCheckResult.Healthy("The service answers."));
}
