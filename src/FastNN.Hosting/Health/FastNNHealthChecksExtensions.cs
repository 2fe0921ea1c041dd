using FastNN.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Health checks of models.</summary>
public static class FastNNHealthChecksExtensions
{
    /// <summary>
    /// Adds two checks: <c>fastnn-live</c> (tag <c>live</c>), healthy as long as the process answers, and <c>fastnn-ready</c>
    /// (tag <c>ready</c>), healthy when all models are warm. Ready is unhealthy while one is loaded for the first time, and
    /// degraded where one could not be loaded and another version of it answers.
    /// </summary>
    /// <param name="builder">What <c>AddHealthChecks</c> gives.</param>
    /// <param name="failureStatus">
    /// What ready is where a model could not be loaded and nothing answers in its place. Default
    /// <see cref="HealthStatus.Unhealthy"/>; <see cref="HealthStatus.Degraded"/> keeps the service's other models in rotation.
    /// </param>
    /// <returns>The builder.</returns>
    public static IHealthChecksBuilder AddFastNN(
        this IHealthChecksBuilder builder, HealthStatus failureStatus = HealthStatus.Unhealthy)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddServingTelemetry();
        return builder.AddCheck<LiveCheck>("fastnn-live", tags: ["live"])
            .AddCheck<ReadyCheck>("fastnn-ready", failureStatus, tags: ["ready"]);
    }
}
