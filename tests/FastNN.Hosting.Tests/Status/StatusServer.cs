using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Tests.StatusPages;

/// <summary>A service on a free port with its status page.</summary>
internal sealed class StatusServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StatusServer(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.Single());
        Client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts it.</summary>
    /// <param name="models">Adds models.</param>
    /// <param name="map">Maps more, or otherwise; null for the page and the protocol at their usual addresses.</param>
    /// <param name="security">Settings of the server; null for none.</param>
    public static async Task<StatusServer> StartAsync(
        Action<FastNNBuilder>? models = null, Action<WebApplication>? map = null, Action<FastNNServerOptions>? security = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        FastNNBuilder added = builder.Services.AddFastNN(options => (options.Threads, options.WatchFiles) = (1, false));
        models?.Invoke(added);
        if (security is not null)
        {
            builder.Services.AddFastNNServer(security);
        }

        WebApplication app = builder.Build();
        if (security is not null)
        {
            app.UseFastNNServer();
        }

        (map ?? (it =>
        {
            it.MapFastNN();
            it.MapFastNNStatus();
        }))(app);
        await app.StartAsync();
        return new StatusServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
