using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Security;

/// <summary>
/// The outermost step: whatever goes wrong within becomes an answer that tells nothing of the server's insides, with a number by
/// which the log has the rest.
/// </summary>
internal sealed partial class LastResort(RequestDelegate next, ILogger<LastResort> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        SecurityHeaders.Set(context.Response.Headers);
        try
        {
            await next(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone: there is nobody to answer.
            context.Abort();
        }
        catch (BadHttpRequestException exception)
        {
            await Refusal.WriteAsync(context, exception.StatusCode, exception.StatusCode switch
            {
                StatusCodes.Status408RequestTimeout => "The request came too slowly; send its body faster.",
                StatusCodes.Status413PayloadTooLarge =>
                    "The request's body is larger than this server allows; send fewer examples at once.",
                _ => "The request is not valid HTTP.",
            });
        }
        catch (Exception exception)
        {
            string id = Guid.NewGuid().ToString("N");
            LogFailure(exception, id);
            await Refusal.WriteAsync(
                context, StatusCodes.Status500InternalServerError, $"The server failed; its log has the reason under {id}.");
        }
    }

    [LoggerMessage(10, LogLevel.Error, "A request failed unexpectedly ({Id}).")]
    private partial void LogFailure(Exception exception, string id);
}
