using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using FastNN.Hosting.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Rest;

/// <summary>
/// Answers whatever goes wrong: a status, and <c>{"error": "..."}</c> with nothing in it that is not for the caller.
/// </summary>
internal static partial class RestErrors
{
    // Quotes and letters of any language are readable as they are; what browsers must not take for a page says so in a header.
    private static readonly JsonWriterOptions _readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers an exception, or ends the connection where the answer has begun or nobody waits for one.</summary>
    public static Task WriteAsync(HttpContext http, Exception exception, ILogger logger)
    {
        if (http.RequestAborted.IsCancellationRequested)
        {
            LogAborted(logger);
            return Task.CompletedTask;
        }

        if (http.Response.HasStarted)
        {
            LogBroken(logger, exception);
            http.Abort();
            return Task.CompletedTask;
        }

        (int status, string message) = Answer(exception);
        if (status == StatusCodes.Status500InternalServerError)
        {
            LogFailed(logger, exception, http.TraceIdentifier);
        }

        if (exception is InferenceException refused && RetryAfter.Of(refused) is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if ((status == StatusCodes.Status413PayloadTooLarge || exception is BadHttpRequestException)
            && HttpProtocol.IsHttp11(http.Request.Protocol))
        {
            // What is still to come of the body is not read, so the server ends the connection: clients must not use it again.
            http.Response.Headers.Connection = "close";
        }

        return WriteAsync(http, status, message);
    }

    /// <summary>Answers with an error object.</summary>
    public static async Task WriteAsync(HttpContext http, int status, string message)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, _readable))
        {
            json.WriteStartObject();
            json.WriteString("error"u8, message);
            json.WriteEndObject();
        }

        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.ContentLength = buffer.WrittenCount;
        try
        {
            _ = await http.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, http.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The client has gone.
        }
    }

    private static (int Status, string Message) Answer(Exception exception) => exception switch
    {
        InferenceException inference => (Status(inference.Failure), inference.Message),
        RestException rest => (rest.StatusCode, rest.Message),
        RequestTooLargeException large => (StatusCodes.Status413PayloadTooLarge, large.Message),
        BadHttpRequestException bad => (bad.StatusCode, bad.StatusCode switch
        {
            StatusCodes.Status413PayloadTooLarge => "the request body is larger than the server allows",
            StatusCodes.Status408RequestTimeout => "the request body came too slowly",
            _ => "the request body did not come whole: does it have the length that Content-Length says?",
        }),
        OperationCanceledException => (StatusCodes.Status503ServiceUnavailable, "the request was given up; try again"),
        IOException => (StatusCodes.Status400BadRequest, "the request body did not come whole"),
        _ => (StatusCodes.Status500InternalServerError, "the server failed; its log has the reason"),
    };

    private static int Status(InferenceFailure failure) => failure switch
    {
        InferenceFailure.InvalidInput => StatusCodes.Status400BadRequest,
        InferenceFailure.NotFound => StatusCodes.Status404NotFound,
        InferenceFailure.NotReady or InferenceFailure.QueueFull or InferenceFailure.ShuttingDown =>
            StatusCodes.Status503ServiceUnavailable,
        InferenceFailure.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };

    [LoggerMessage(EventId = 1, Level = LogLevel.Debug, Message = "A client left before its answer")]
    private static partial void LogAborted(ILogger logger);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "An answer broke off after it had begun")]
    private static partial void LogBroken(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "A request failed ({Request})")]
    private static partial void LogFailed(ILogger logger, Exception exception, string request);
}
