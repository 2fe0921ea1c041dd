using FastNN.Hosting;
using FastNN.Hosting.Security;
using FastNN.Hosting.StatusPages;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps a page for people.</summary>
public static class StatusEndpointExtensions
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>
    /// Maps a page that shows models with their inputs and outputs, load, queues, latencies and memory while it is looked at, and
    /// that sends an image to a model by drag and drop. What it shows is at <c>PATTERN/data</c> and <c>PATTERN/models</c>, as
    /// JSON. With <c>UseFastNNServer</c> the page itself is for anybody, and asks for the key that these two need.
    /// </summary>
    /// <param name="endpoints">Where to map.</param>
    /// <param name="pattern">The path. Default <c>/status</c>.</param>
    /// <returns>For further conventions, such as <c>RequireAuthorization</c>.</returns>
    /// <exception cref="InvalidOperationException">FastNN is not among the services.</exception>
    public static IEndpointConventionBuilder MapFastNNStatus(this IEndpointRouteBuilder endpoints, string pattern = "/status")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrWhiteSpace(pattern);
        IServiceProvider services = endpoints.ServiceProvider;
        if (services.GetService<IModelCatalog>() is not { } catalog
            || services.GetService<ServingResources>() is not { } resources
            || services.GetService<MetricCollector>() is not { } collector)
        {
            throw new InvalidOperationException(
                "MapFastNNStatus: expected FastNN among the services; call AddFastNN before the application is built.");
        }

        string path = "/" + pattern.Trim('/');
        string name = path[(path.LastIndexOf('/') + 1)..];
        var json = new StatusJson(catalog, collector, resources, services.GetService<ServedDevice>());
        RouteGroupBuilder group = endpoints.MapGroup("");

        // The page tells nothing of the service, and a browser that opens it cannot send a key.
        var open = new AccessMetadata(Access.Anyone);
        group.MapMethods(path, Methods, context => PageAsync(context, name)).WithMetadata(open);
        group.MapMethods(path + "/files/{file}", Methods, context => StatusFiles.WriteAsync(
            context, (string)context.Request.RouteValues["file"]!)).WithMetadata(open);
        group.MapMethods(path + "/models", Methods, json.WriteModelsAsync).NeedsMetricsScope();
        group.MapMethods(path + "/data", Methods, json.WriteDataAsync).NeedsMetricsScope();
        return group;
    }

    private static Task PageAsync(HttpContext context, string name)
    {
        if (context.Request.Path.Value is not [.., '/'])
        {
            return StatusFiles.WritePageAsync(context, name);
        }

        // The page's links are relative, so that they hold behind a proxy that adds a path; with a slash they would lead astray.
        context.Response.Headers.Location = "../" + Uri.EscapeDataString(name);
        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        return Task.CompletedTask;
    }
}
