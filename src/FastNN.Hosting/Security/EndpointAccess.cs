using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FastNN.Hosting.Security;

/// <summary>What an endpoint asks of its caller.</summary>
internal enum Access
{
    /// <summary>Not an endpoint of the server: the application decides.</summary>
    Foreign,

    /// <summary>Anybody at any time: probes have no key, and a busy server must not be restarted for it.</summary>
    Probe,

    /// <summary>Anybody within the limits: pages that ask for a key themselves, and what answers that there is nothing.</summary>
    Anyone,

    /// <summary>Any key or token that has a scope.</summary>
    Read,

    /// <summary>The scope infer.</summary>
    Infer,

    /// <summary>The scope manage.</summary>
    Manage,

    /// <summary>The scope metrics.</summary>
    Metrics,
}

/// <summary>Says in an endpoint's metadata what it asks, for those whose pattern is the application's choice.</summary>
internal sealed record AccessMetadata(Access Access);

/// <summary>
/// The one table of who may call what, over the route patterns of REST and gRPC. Of the server's own endpoints, what the table
/// does not know needs <see cref="Access.Manage"/>, so that a forgotten one is closed rather than open.
/// </summary>
internal static class EndpointAccess
{
    // By endpoint, because patterns are taken apart for it; endpoints live as long as the application.
    private static readonly ConditionalWeakTable<Endpoint, StrongBox<Access>> Known = [];

    /// <summary>What an endpoint asks of its caller.</summary>
    public static Access Of(Endpoint? endpoint) => endpoint is RouteEndpoint route
        ? Known.GetValue(route, static it => new StrongBox<Access>(
            Find((RouteEndpoint)it) ?? (IsOwn((RouteEndpoint)it) ? Access.Manage : Access.Foreign))).Value
        : Access.Foreign;

    /// <summary>What the table says of an endpoint; null where it does not know it.</summary>
    public static Access? Find(RouteEndpoint endpoint)
    {
        if (endpoint.Metadata.GetMetadata<AccessMetadata>() is { } metadata)
        {
            return metadata.Access;
        }

        string[] parts = Parts(endpoint);
        return parts switch
        {
            ["inference.GRPCInferenceService", var method] => OfGrpc(method),
            ["grpc.health.v1.Health", ..] => Access.Probe,
            [var service, ..] when service.StartsWith("grpc.reflection.", StringComparison.Ordinal) => Access.Read,
            ["{unimplementedService}", ..] => Access.Anyone,
            ["metrics"] or ["status", "data" or "models"] => Access.Metrics,
            ["status"] or ["status", "files", _] => Access.Anyone,
            ["status", ..] => Access.Metrics,
            ["openapi", ..] => Access.Read,
            // Below a prefix, and the server's own: an application's endpoints may have such names too.
            _ when !IsOwn(endpoint) => null,
            _ when Array.LastIndexOf(parts, "v2") is >= 0 and var at => OfRest(parts.AsSpan(at + 1)),
            [.., "metrics"] or [.., "status", "data" or "models"] => Access.Metrics,
            [.., "status"] or [.., "status", "files", _] => Access.Anyone,
            [.., "openapi", _] => Access.Read,
            _ => null,
        };
    }

    /// <summary>Says that endpoints need the scope <see cref="FastNNScopes.Metrics"/>, wherever they are mapped.</summary>
    public static TBuilder NeedsMetricsScope<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder => endpoints.WithMetadata(new AccessMetadata(Access.Metrics));

    private static string[] Parts(RouteEndpoint endpoint) =>
        (endpoint.RoutePattern.RawText ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static bool IsOwn(RouteEndpoint endpoint) =>
        endpoint.RequestDelegate?.Method.Module.Assembly == typeof(EndpointAccess).Assembly
        || endpoint.Metadata.Any(static item => item is FastNNEndpoint)
        || Parts(endpoint) is ["inference.GRPCInferenceService", ..];

    private static Access? OfRest(ReadOnlySpan<string> parts) => parts switch
    {
        [] or ["openapi.json" or "docs"] => Access.Read,
        // What answers that there is nothing there.
        ["{**rest}"] => Access.Read,
        ["health", "live" or "ready"] => Access.Probe,
        ["models", _, "infer"] or ["models", _, "versions", _, "infer"] => Access.Infer,
        ["models", "stats"] or ["models", _, "stats"] or ["models", _, "versions", _, "stats"] => Access.Metrics,
        ["models", _] or ["models", _, "ready" or "config"] => Access.Read,
        ["models", _, "versions", _] or ["models", _, "versions", _, "ready" or "config"] => Access.Read,
        ["repository", "index"] => Access.Read,
        ["repository", "models", _, "load" or "unload"] => Access.Manage,
        ["repository", "models", _, "versions", _, "load" or "unload"] => Access.Manage,
        _ => null,
    };

    private static Access? OfGrpc(string method) => method switch
    {
        "ServerLive" or "ServerReady" => Access.Probe,
        "ServerMetadata" or "ModelReady" or "ModelMetadata" or "ModelConfig" or "RepositoryIndex" => Access.Read,
        "ModelInfer" or "ModelStreamInfer" => Access.Infer,
        "ModelStatistics" => Access.Metrics,
        "RepositoryModelLoad" or "RepositoryModelUnload" => Access.Manage,
        // What answers UNIMPLEMENTED.
        _ when method.StartsWith("{unimplemented", StringComparison.Ordinal) => Access.Read,
        _ => null,
    };
}
