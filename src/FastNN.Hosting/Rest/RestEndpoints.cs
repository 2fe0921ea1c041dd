using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Rest;

/// <summary>
/// The addresses, and what answers each. Every address takes any method, so that a wrong one gets an error object as well.
/// </summary>
internal sealed class RestEndpoints(
    IModelCatalog catalog, FastNNEndpointOptions options, TimeProvider time, ILogger logger, ServingTelemetry? telemetry = null)
{
    private static readonly string[] _model = ["v2/models/{name}", "v2/models/{name}/versions/{version}"];

    /// <summary>Maps all.</summary>
    public IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints)
    {
        RouteGroupBuilder group = endpoints.MapGroup(options.Prefix);
        var metadata = new MetadataHandler(catalog);
        var repository = new RepositoryHandler(catalog, options);
        var infer = new InferHandler(catalog, options, time, logger, telemetry);
        Get(group, FastNNEndpoint.Metadata, "v2", MetadataHandler.ServerAsync);
        Get(group, FastNNEndpoint.Health, "v2/health/live", MetadataHandler.LiveAsync);
        Get(group, FastNNEndpoint.Health, "v2/health/ready", metadata.ReadyAsync);
        foreach (string model in _model)
        {
            Get(group, FastNNEndpoint.Metadata, model, metadata.ModelAsync);
            Get(group, FastNNEndpoint.Health, model + "/ready", metadata.ModelReadyAsync);
            Get(group, FastNNEndpoint.Metadata, model + "/config", metadata.ConfigAsync);
            Add(group, FastNNEndpoint.Inference, model + "/infer", "POST", infer.HandleAsync);
        }

        if (options.Statistics)
        {
            foreach (string prefix in (string[])["v2/models", .. _model])
            {
                Get(group, FastNNEndpoint.Statistics, prefix + "/stats", metadata.StatisticsAsync);
            }
        }

        Post(group, FastNNEndpoint.RepositoryIndex, "v2/repository/index", repository.IndexAsync);
        foreach (string model in (string[])["v2/repository/models/{name}", "v2/repository/models/{name}/versions/{version}"])
        {
            Post(group, FastNNEndpoint.RepositoryControl, model + "/load", repository.LoadAsync);
            Post(group, FastNNEndpoint.RepositoryControl, model + "/unload", repository.UnloadAsync);
        }

        if (options.Documentation)
        {
            var document = new DocumentHandler(options);
            Get(group, FastNNEndpoint.Documentation, "v2/openapi.json", document.JsonAsync);
            Get(group, FastNNEndpoint.Documentation, "v2/docs", document.PageAsync);
        }

        IEndpointConventionBuilder rest = group.Map("v2/{**rest}", http => RestErrors.WriteAsync(
            http, StatusCodes.Status404NotFound,
            "there is nothing at this address; v2 tells about the server, v2/models/NAME about a model"));
        rest.WithMetadata(FastNNEndpoint.Metadata);
        options.Configure?.Invoke(FastNNEndpoint.Metadata, rest);
        return group;
    }

    private void Get(RouteGroupBuilder group, FastNNEndpoint kind, string pattern, RequestDelegate handler) =>
        Add(group, kind, pattern, "GET, HEAD", Guard(handler));

    private void Post(RouteGroupBuilder group, FastNNEndpoint kind, string pattern, RequestDelegate handler) =>
        Add(group, kind, pattern, "POST", Guard(handler));

    /// <summary>Adds an address. Its handler answers its own errors.</summary>
    private void Add(RouteGroupBuilder group, FastNNEndpoint kind, string pattern, string methods, RequestDelegate handler)
    {
        bool posts = methods == "POST";
        IEndpointConventionBuilder endpoint = group.Map(pattern, http =>
            (posts ? HttpMethods.IsPost(http.Request.Method) : IsGetOrHead(http.Request.Method))
                ? handler(http)
                : RefuseMethod(http, methods)).WithMetadata(kind);
        options.Configure?.Invoke(kind, endpoint);
    }

    private static bool IsGetOrHead(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    private static Task RefuseMethod(HttpContext http, string methods)
    {
        http.Response.Headers.Allow = methods + ", OPTIONS";
        if (HttpMethods.IsOptions(http.Request.Method))
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }

        return RestErrors.WriteAsync(
            http, StatusCodes.Status405MethodNotAllowed, $"expected method {methods} at this address, got " +
            Protocol.Show.Name(http.Request.Method));
    }

    private RequestDelegate Guard(RequestDelegate handler) => async http =>
    {
        try
        {
            await handler(http);
        }
        catch (Exception exception)
        {
            await RestErrors.WriteAsync(http, exception, logger);
        }
    };
}
