using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting;

/// <summary>Models in a service.</summary>
public static class FastNNServiceCollectionExtensions
{
    /// <summary>
    /// Adds models to a service: an <see cref="IModelCatalog"/>, an <see cref="IModel"/> by the key of each model's name, and
    /// what loads them before the service takes requests and frees them when it ends.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <returns>Adds the models.</returns>
    public static FastNNBuilder AddFastNN(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<FastNNOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FastNNOptions>, FastNNOptionsValidator>());
        services.AddServingTelemetry();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ServedDevice>();
        services.TryAddSingleton<ServedChats>();
        services.TryAddSingleton<ModelCatalog>(CatalogFactory.Create);
        services.TryAddSingleton<IModelCatalog>(provider => provider.GetRequiredService<ModelCatalog>());
        services.TryAddKeyedSingleton<IModel>(
            KeyedService.AnyKey,
            (provider, key) => new NamedModel(provider.GetRequiredService<ModelCatalog>(), (string)key!));
        services.AddHostedService<ModelHost>();
        services.AddFastNNGrpc();
        var builder = new FastNNBuilder(services);
        builder.AddFloatPredictors();
        return builder;
    }

    /// <summary>As <see cref="AddFastNN(IServiceCollection)"/>, with options.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>Adds the models.</returns>
    public static FastNNBuilder AddFastNN(this IServiceCollection services, Action<FastNNOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.Configure(configure);
        return services.AddFastNN();
    }

    /// <summary>As <see cref="AddFastNN(IServiceCollection)"/>, with options from
    /// configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">A section with the members of <see cref="FastNNOptions"/>.</param>
    /// <returns>Adds the models.</returns>
    public static FastNNBuilder AddFastNN(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        FastNNBuilder builder = services.AddFastNN();
        services.AddOptions<FastNNOptions>().Bind(configuration);
        return builder;
    }
}
