using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Security;

/// <summary>
/// A token bucket for each key, or for each address without one (429), within a limit of requests at once (503).
/// </summary>
internal sealed class LoadLimits(IOptions<FastNNServerOptions> options) : IConfigureOptions<RateLimiterOptions>
{
    public void Configure(RateLimiterOptions limiter)
    {
        FastNNServerOptions server = options.Value;
        PartitionedRateLimiter<HttpContext> concurrent = PartitionedRateLimiter.Create<HttpContext, string>(
            context => IsProbe(context)
                ? RateLimitPartition.GetNoLimiter("probe")
                : RateLimitPartition.GetConcurrencyLimiter(
                    "all", _ => new ConcurrencyLimiterOptions { PermitLimit = server.MaxConcurrentRequests }));
        limiter.GlobalLimiter = server.RequestsPerSecond == 0
            ? concurrent
            : PartitionedRateLimiter.CreateChained(
                PartitionedRateLimiter.Create<HttpContext, string>(context => IsProbe(context)
                    ? RateLimitPartition.GetNoLimiter("probe")
                    : RateLimitPartition.GetTokenBucketLimiter(CallerOf(context), _ => new TokenBucketRateLimiterOptions
                    {
                        TokenLimit = server.Burst,
                        TokensPerPeriod = server.RequestsPerSecond,
                        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                    })),
                concurrent);
        limiter.OnRejected = (context, _) => new ValueTask(
            context.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan wait)
                ? Refusal.WriteAsync(
                    context.HttpContext, StatusCodes.Status429TooManyRequests,
                    "Too many requests from this caller; wait as Retry-After says.", wait)
                : Refusal.WriteAsync(
                    context.HttpContext, StatusCodes.Status503ServiceUnavailable,
                    "The server is busy; try again later.", TimeSpan.FromSeconds(1)));
    }

    // Probes are exempt: a busy server is alive, and must not be restarted for it.
    private static bool IsProbe(HttpContext context) => EndpointAccess.Of(context.GetEndpoint()) == Access.Probe;

    private static string CallerOf(HttpContext context) => context.User.Identity is { IsAuthenticated: true, Name: { } name }
        ? $"key {name}"
        : $"address {context.Connection.RemoteIpAddress}";
}
