using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting;

/// <summary>
/// Loads the models before the service takes requests, looks whether their files change, and frees them when the service ends.
/// </summary>
internal sealed class ModelHost(
    ModelCatalog catalog, ServedChats chats, ServedDevice device, IOptions<FastNNOptions> options, TimeProvider time,
    ILoggerFactory loggers)
    : IHostedService, IDisposable
{
    private readonly CatalogLog _log = new(loggers.CreateLogger("FastNN.Hosting"));
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await catalog.StartAsync(cancellationToken).ConfigureAwait(false);
        await chats.StartAsync(cancellationToken).ConfigureAwait(false);
        int ready = catalog.List().Count(model => model.State == ModelState.Ready);
        _log.Serving(ready, device.Current?.Description ?? "no device yet");
        if (options.Value.WatchFiles)
        {
            _watching = WatchAsync(options.Value.WatchInterval, _stop.Token);
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _log.Stopping();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        await catalog.StopAsync(cancellationToken).ConfigureAwait(false);
        device.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private async Task WatchAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        // Files are looked at rather than watched: notifications do not come from network shares and mounted volumes.
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    await catalog.RefreshAsync(cancellationToken).ConfigureAwait(false);
                    await chats.RefreshAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    _log.RefreshFailed(exception);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The service ends.
        }
    }
}
