using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace FastNN.Hosting.Security;

/// <summary>An answer that says no: <c>{"error": "..."}</c> for REST, a status without messages for gRPC.</summary>
internal static class Refusal
{
    public static Task WriteAsync(HttpContext context, int status, string message, TimeSpan? retryAfter = null)
    {
        HttpResponse response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        response.Clear();
        SecurityHeaders.Set(response.Headers);
        if (retryAfter is { } time)
        {
            long seconds = Math.Max(1, (long)Math.Ceiling(time.TotalSeconds));
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true)
        {
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentType = "application/grpc";
            response.Headers["grpc-status"] = GrpcStatus(status).ToString(CultureInfo.InvariantCulture);
            response.Headers["grpc-message"] = Uri.EscapeDataString(message);
            return response.CompleteAsync();
        }

        response.StatusCode = status;
        if (status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        response.ContentType = "application/json";
        return response.WriteAsync($"{{\"error\":\"{JsonEncodedText.Encode(message)}\"}}", context.RequestAborted);
    }

    // Codes of gRPC: 3 invalid argument, 5 not found, 7 permission denied, 8 resource exhausted, 13 internal, 14 unavailable,
    // 16 unauthenticated.
    private static int GrpcStatus(int status) => status switch
    {
        401 => 16,
        403 => 7,
        404 => 5,
        413 or 429 => 8,
        503 => 14,
        >= 400 and < 500 => 3,
        _ => 13,
    };
}

/// <summary>What browsers are told of every answer; a page may set a policy of its own before.</summary>
internal static class SecurityHeaders
{
    public static void Set(IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (headers.ContentSecurityPolicy.Count == 0)
        {
            headers.ContentSecurityPolicy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
        }
    }
}
