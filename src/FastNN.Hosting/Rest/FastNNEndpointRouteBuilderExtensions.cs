using FastNN.Hosting.Rest;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting;

/// <summary>Maps FastNN's endpoints in an application.</summary>
public static class FastNNEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the Open Inference Protocol, version 2, over REST and gRPC, with Triton's extensions for binary tensor data,
    /// classification, statistics, configuration and the repository, over the application's <see cref="IModelCatalog"/>.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="configure">What is mapped, and the limits.</param>
    /// <returns>All of the endpoints, for what they are to have in common.</returns>
    /// <exception cref="InvalidOperationException">The services lack what <c>AddFastNN</c> adds, or gRPC is mapped
    /// already.</exception>
    public static IEndpointConventionBuilder MapFastNN(
        this IEndpointRouteBuilder endpoints, Action<FastNNEndpointOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var options = new FastNNEndpointOptions();
        configure?.Invoke(options);
        options.Validate();
        IServiceProvider services = endpoints.ServiceProvider;
        IModelCatalog catalog = services.GetService<IModelCatalog>() ?? throw new InvalidOperationException(
            "MapFastNN: expected an IModelCatalog among the services, found none; add FastNN to them before the application is built");
        ILogger logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("FastNN.Hosting.Rest");
        TimeProvider time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        IEndpointConventionBuilder rest =
            new RestEndpoints(catalog, options, time, logger, services.GetService<ServingTelemetry>()).Map(endpoints);
        if (!options.Grpc)
        {
            return rest;
        }

        GrpcServingOptions grpc = services.GetService<GrpcServingOptions>() ?? throw new InvalidOperationException(
            "MapFastNN: expected the services that AddFastNN adds, found none for gRPC; call AddFastNN, or set Grpc to false");
        grpc.Set(options);
        return new ConventionsOfAll(rest, endpoints.MapFastNNGrpc(options.Configure));
    }
}
