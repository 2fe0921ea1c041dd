using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>An application of AddFastNN and MapFastNN alone, on a port for HTTP/1.1 and one for HTTP/2 without TLS.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebServer(WebApplication app)
    {
        _app = app;
        string[] addresses = [.. app.Urls];
        Http = new HttpClient { BaseAddress = new Uri(addresses[0]) };
        GrpcAddress = addresses[1];
        Channel = GrpcChannel.ForAddress(GrpcAddress);
        Calls = Channel.CreateCallInvoker();
    }

    public HttpClient Http { get; }

    public string GrpcAddress { get; }

    public GrpcChannel Channel { get; }

    public CallInvoker Calls { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>What is mapped.</summary>
    public IEnumerable<RouteEndpoint> Endpoints =>
        ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    public static async Task<WebServer> StartAsync(
        Action<IServiceCollection> add,
        Action<FastNNEndpointOptions>? configure = null,
        Action<WebApplication>? more = null,
        string folder = "")
    {
        WebApplicationBuilder builder =
            WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = folder.Length == 0 ? null : folder });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        add(builder.Services);
        WebApplication app = builder.Build();
        app.MapFastNN(configure);
        more?.Invoke(app);
        await app.StartAsync();
        return new WebServer(app);
    }

    /// <summary>A call of the inference service.</summary>
    public AsyncUnaryCall<TResponse> Call<TResponse>(IMessage request, CallOptions options = default)
        where TResponse : class, IMessage<TResponse>, new() => Calls.AsyncUnaryCall(
            Rpc.GrpcServer.Method<IMessage, TResponse>(MethodType.Unary, request.Descriptor.Name[..^"Request".Length]),
            null, options, request);

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
