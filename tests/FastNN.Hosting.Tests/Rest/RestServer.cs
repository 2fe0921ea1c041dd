using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>A Kestrel on two free ports of the loopback, HTTP/1.1 and HTTP/2 without TLS, over a catalog of fakes.</summary>
internal sealed class RestServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private RestServer(WebApplication application, FakeCatalog catalog)
    {
        _application = application;
        Catalog = catalog;
        Uri[] addresses = [.. application.Urls.Select(url => new Uri(url))];
        Address = addresses[0];
        Client = new HttpClient { BaseAddress = addresses[0] };
        Client2 = new HttpClient
        {
            BaseAddress = addresses[1],
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    public FakeCatalog Catalog { get; }

    public Uri Address { get; }

    /// <summary>Speaks HTTP/1.1.</summary>
    public HttpClient Client { get; }

    /// <summary>Speaks HTTP/2 without TLS.</summary>
    public HttpClient Client2 { get; }

    /// <summary>What every type and the like is tested with.</summary>
    public static FakeCatalog Models() => new(
    [
        .. Enum.GetValues<TensorDataType>().Select(type => new FakeModel(
            "echo_" + Protocol.TensorDataTypes.Name(type), new ModelTensor("in", type, [-1]))),
        new FakeModel("matrix", new ModelTensor("in", TensorDataType.Float32, [-1, 3]) { ClassNames = ["a", "b", "c"] }),
        new FakeModel(
            "two", new ModelTensor("in0", TensorDataType.Float32, [2]), new ModelTensor("in1", TensorDataType.Bytes, [-1])),
    ]);

    public static async Task<RestServer> StartAsync(Action<FastNNEndpointOptions>? configure = null, FakeCatalog? catalog = null)
    {
        catalog ??= Models();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        _ = builder.Logging.ClearProviders();
        _ = builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        _ = builder.Services.AddSingleton<IModelCatalog>(catalog).AddFastNNGrpc();
        WebApplication application = builder.Build();
        _ = application.MapFastNN(configure);
        await application.StartAsync();
        return new RestServer(application, catalog);
    }

    /// <summary>Every call must have been given back.</summary>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Client2.Dispose();
        await _application.StopAsync();
        await _application.DisposeAsync();
        foreach (FakeModel model in Catalog.Models)
        {
            Assert.That(model.Live, Is.Zero, model.Name);
        }
    }
}
