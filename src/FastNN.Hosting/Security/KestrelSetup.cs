using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Security;

/// <summary>Limits against clients that send too much, too slowly, or nothing at all.</summary>
internal sealed class KestrelSetup(IOptions<FastNNServerOptions> options) : IConfigureOptions<KestrelServerOptions>
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public void Configure(KestrelServerOptions kestrel)
    {
        FastNNServerOptions server = options.Value;
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;
        limits.MaxRequestBodySize = server.MaxRequestBytes;
        limits.MaxRequestHeadersTotalSize = server.MaxHeaderBytes;
        limits.MaxConcurrentConnections = server.MaxConnections;
        limits.RequestHeadersTimeout = server.HeaderTimeout;
        limits.KeepAliveTimeout = server.KeepAliveTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(server.MinBytesPerSecond, Grace);
        limits.MinResponseDataRate = new MinDataRate(server.MinBytesPerSecond, Grace);
    }
}
