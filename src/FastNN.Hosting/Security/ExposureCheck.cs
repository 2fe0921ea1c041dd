using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Security;

/// <summary>
/// Stops the start of a server that would answer the network and asks nobody who they are, unless that is wanted.
/// </summary>
internal sealed partial class ExposureCheck(IServer server, IOptions<FastNNServerOptions> options, ILogger<ExposureCheck> logger)
    : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        FastNNServerOptions given = options.Value;
        if (given.AsksForAuthentication)
        {
            return Task.CompletedTask;
        }

        string? open = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault(address => !IsLoopback(address));
        if (open is not null && !given.AllowUnauthenticated)
        {
            throw new InvalidOperationException(
                $"The server would listen at {open} without authentication. Give it ApiKeyFile, JwtAuthority or JwtKeyFile, "
                + "bind it to 127.0.0.1, or set AllowUnauthenticated where everybody on the network may call it.");
        }

        if (open is not null)
        {
            LogOpen(open);
        }

        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    internal static bool IsLoopback(string address)
    {
        Microsoft.AspNetCore.Http.BindingAddress binding = Microsoft.AspNetCore.Http.BindingAddress.Parse(address);
        return binding.IsUnixPipe || binding.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(binding.Host, out IPAddress? ip) && IPAddress.IsLoopback(ip));
    }

    [LoggerMessage(20, LogLevel.Warning, "The server answers everybody at {Address}: it asks for no key or token.")]
    private partial void LogOpen(string address);
}
