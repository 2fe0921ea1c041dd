using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting;

/// <summary>Puts the Open Inference Protocol over gRPC, health and reflection into an application.</summary>
internal static class GrpcServing
{
    /// <summary>
    /// Adds what <see cref="MapFastNNGrpc"/> maps. Nothing of it is made before it is mapped: services without a web server are
    /// left as they are.
    /// </summary>
    /// <param name="services">Where an <see cref="IModelCatalog"/> is, or will be.</param>
    /// <param name="options">What is allowed.</param>
    public static IServiceCollection AddFastNNGrpc(this IServiceCollection services, GrpcServingOptions? options = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => options ?? new GrpcServingOptions());
        services.TryAddSingleton<InferCodec>();
        services.TryAddSingleton<InferenceService>();
        services.TryAddSingleton<HealthService>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IServiceMethodProvider<InferenceService>, InferenceMethods>());
        services.AddGrpc().AddServiceOptions<InferenceService>(static _ => { });
        services.AddOptions<GrpcServiceOptions<InferenceService>>().Configure<GrpcServingOptions>(static (service, serving) =>
        {
            service.MaxReceiveMessageSize = serving.MaxRequestBytes;
            service.MaxSendMessageSize = null;
            service.EnableDetailedErrors = false;
            service.CompressionProviders = [.. LimitedDecompression.All(serving.MaxRequestBytes)];
        });
        services.AddGrpcReflection();
        return services;
    }

    /// <summary>Maps the inference service, the standard health service and reflection.</summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="configure">Is called for the endpoints of each kind.</param>
    /// <returns>Conventions for all of them; the metadata of each has its <see cref="FastNNEndpoint"/>.</returns>
    public static IEndpointConventionBuilder MapFastNNGrpc(
        this IEndpointRouteBuilder endpoints, Action<FastNNEndpoint, IEndpointConventionBuilder>? configure = null)
    {
        IServiceProvider services = endpoints.ServiceProvider;
        GrpcServiceEndpointConventionBuilder inference = endpoints.MapGrpcService<InferenceService>();
        if (services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value.Interceptors.Count == 0 &&
            services.GetRequiredService<IOptions<GrpcServiceOptions<InferenceService>>>().Value.Interceptors.Count == 0)
        {
            // An application's interceptors see every call; without any, inference need not pass through what calls them.
            ILogger<InferenceService> logger = services.GetRequiredService<ILogger<InferenceService>>();
            var direct = new DirectInfer(
                services.GetRequiredService<InferCodec>(), services.GetRequiredService<InferenceService>(),
                services.GetRequiredService<GrpcServingOptions>(), logger);
            inference.Add(direct.Apply);
        }

        List<IEndpointConventionBuilder> all =
        [
            inference,
            endpoints.MapGrpcService<HealthService>().WithMetadata(FastNNEndpoint.Health),
        ];
        if (services.GetRequiredService<GrpcServingOptions>().Reflection)
        {
            all.Add(endpoints.MapGrpcReflectionService().WithMetadata(FastNNEndpoint.Documentation));
        }

        var builder = new ConventionsOfAll([.. all]);
        if (configure is not null)
        {
            foreach (FastNNEndpoint kind in Enum.GetValues<FastNNEndpoint>())
            {
                configure(kind, new ConventionsOfKind(builder, kind));
            }
        }

        return builder;
    }

    /// <summary>The endpoints of one kind; what has no kind, as calls that do not exist, counts as metadata.</summary>
    private sealed class ConventionsOfKind(IEndpointConventionBuilder all, FastNNEndpoint kind) : IEndpointConventionBuilder
    {
        public void Add(Action<EndpointBuilder> convention) => all.Add(Only(convention));

        public void Finally(Action<EndpointBuilder> finallyConvention) => all.Finally(Only(finallyConvention));

        private Action<EndpointBuilder> Only(Action<EndpointBuilder> convention) => endpoint =>
        {
            if (endpoint.Metadata.OfType<FastNNEndpoint>().FirstOrDefault(FastNNEndpoint.Metadata) == kind)
            {
                convention(endpoint);
            }
        };
    }
}

/// <summary>Conventions for the endpoints of several builders.</summary>
internal sealed class ConventionsOfAll(params IEndpointConventionBuilder[] builders) : IEndpointConventionBuilder
{
    public void Add(Action<EndpointBuilder> convention) => Array.ForEach(builders, builder => builder.Add(convention));

    public void Finally(Action<EndpointBuilder> finallyConvention) =>
        Array.ForEach(builders, builder => builder.Finally(finallyConvention));
}
