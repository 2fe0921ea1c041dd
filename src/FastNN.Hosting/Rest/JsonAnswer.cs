using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace FastNN.Hosting.Rest;

/// <summary>A small answer of JSON.</summary>
internal static class JsonAnswer
{
    /// <summary>Writes it whole, with its length.</summary>
    public static async Task WriteAsync(HttpContext http, Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json);
        }

        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = buffer.WrittenCount;
        _ = await http.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, http.RequestAborted);
    }
}
