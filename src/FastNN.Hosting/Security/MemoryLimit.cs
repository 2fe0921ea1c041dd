using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Security;

/// <summary>
/// Refuses inference while the process has more memory than it may, so that it sheds load rather than being ended.
/// </summary>
internal sealed partial class MemoryLimit(
    RequestDelegate next, IOptions<FastNNServerOptions> options, TimeProvider time, ILogger<MemoryLimit> logger)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly long _limit = options.Value.MaxMemoryBytes;
    private long _looked;
    private volatile bool _isFull;

    public Task InvokeAsync(HttpContext context) => EndpointAccess.Of(context.GetEndpoint()) == Access.Infer && IsFull()
        ? Refusal.WriteAsync(
            context, StatusCodes.Status503ServiceUnavailable, "The server is short of memory; try again later.",
            TimeSpan.FromSeconds(1))
        : next(context);

    private bool IsFull()
    {
        long looked = Volatile.Read(ref _looked);
        if ((looked == 0 || time.GetElapsedTime(looked) >= LookEvery)
            && Interlocked.CompareExchange(ref _looked, time.GetTimestamp(), looked) == looked)
        {
            long used = Environment.WorkingSet;
            bool isFull = used > _limit;
            if (isFull && !_isFull)
            {
                LogFull(used >> 20, _limit >> 20);
            }

            _isFull = isFull;
        }

        return _isFull;
    }

    [LoggerMessage(
        31, LogLevel.Warning,
        "The process has {Used} MiB of memory and may have {Limit} MiB: inference is refused until it has less.")]
    private partial void LogFull(long used, long limit);
}
