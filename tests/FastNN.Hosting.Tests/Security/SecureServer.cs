using System.Net.Sockets;
using FastNN.Hosting.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Tests.Security;

/// <summary>
/// A real Kestrel on a free port with endpoints of the protocol's patterns, which say "ok" or fail as they are told.
/// </summary>
internal sealed class SecureServer : IAsyncDisposable
{
    public static readonly (string Method, string Path, Access Access)[] Endpoints =
    [
        ("GET", "/v2", Access.Read),
        ("GET", "/v2/health/live", Access.Probe),
        ("GET", "/v2/health/ready", Access.Probe),
        ("GET", "/v2/models/digits", Access.Read),
        ("GET", "/v2/models/digits/ready", Access.Read),
        ("GET", "/v2/models/digits/versions/1", Access.Read),
        ("POST", "/v2/models/digits/infer", Access.Infer),
        ("POST", "/v2/models/digits/versions/1/infer", Access.Infer),
        ("GET", "/v2/models/digits/stats", Access.Metrics),
        ("GET", "/v2/models/stats", Access.Metrics),
        ("POST", "/v2/repository/index", Access.Read),
        ("POST", "/v2/repository/models/digits/load", Access.Manage),
        ("POST", "/v2/repository/models/digits/unload", Access.Manage),
        ("GET", "/metrics", Access.Metrics),
        ("POST", "/inference.GRPCInferenceService/ServerLive", Access.Probe),
        ("POST", "/inference.GRPCInferenceService/ModelMetadata", Access.Read),
        ("POST", "/inference.GRPCInferenceService/ModelInfer", Access.Infer),
        ("POST", "/inference.GRPCInferenceService/ModelStatistics", Access.Metrics),
        ("POST", "/inference.GRPCInferenceService/RepositoryModelLoad", Access.Manage),
        ("POST", "/inference.GRPCInferenceService/NotYetInvented", Access.Manage),
    ];

    private readonly WebApplication _app;

    private SecureServer(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.First());
        Client = new HttpClient { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public static async Task<SecureServer> StartAsync(
        Action<FastNNServerOptions>? configure = null, string urls = "http://127.0.0.1:0")
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(urls);
        builder.Logging.ClearProviders();
        builder.Services.AddFastNNServer(configure);
        WebApplication app = builder.Build();
        app.UseFastNNServer();
        foreach (string pattern in (string[])
        [
            "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/{name}", "/v2/models/{name}/ready",
            "/v2/models/{name}/versions/{version}", "/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer",
            "/v2/models/{name}/stats", "/v2/models/stats", "/v2/repository/index", "/v2/repository/models/{name}/load",
            "/v2/repository/models/{name}/unload", "/metrics", "/inference.GRPCInferenceService/ServerLive",
            "/inference.GRPCInferenceService/ModelMetadata", "/inference.GRPCInferenceService/ModelInfer",
            "/inference.GRPCInferenceService/ModelStatistics", "/inference.GRPCInferenceService/RepositoryModelLoad",
            "/inference.GRPCInferenceService/{unknown}",
        ])
        {
            app.Map(pattern, AnswerAsync).WithMetadata(FastNNEndpoint.Metadata);
        }

        try
        {
            await app.StartAsync();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new SecureServer(app);
    }

    public async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        await socket.ConnectAsync(Address.Host, Address.Port);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        if (context.Request.Headers.ContainsKey("X-Fail"))
        {
            throw new FileNotFoundException("secret", "/srv/models/secret.onnx");
        }

        if (context.Request.Headers.ContainsKey("X-Wait"))
        {
            await Task.Delay(2000, context.RequestAborted);
        }

        await context.Response.WriteAsync("ok");
    }
}
