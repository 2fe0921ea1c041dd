using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FastNN.Hosting;

/// <summary>Registers what counts.</summary>
internal static class TelemetryServices
{
    /// <summary>Registers <see cref="ServingTelemetry"/> and <see cref="MetricCollector"/>; a second time does nothing.</summary>
    public static IServiceCollection AddServingTelemetry(this IServiceCollection services)
    {
        services.AddMetrics().AddLogging();
        services.TryAddSingleton<ServingResources>();
        services.TryAddSingleton<ServingTelemetry>();
        services.TryAddSingleton<MetricCollector>();
        return services;
    }
}
