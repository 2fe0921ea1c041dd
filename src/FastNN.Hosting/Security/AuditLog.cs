using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace FastNN.Hosting.Security;

/// <summary>
/// What a management call asked of the catalog, over REST and gRPC alike: a message of gRPC is read only where the call is
/// carried out, and a version may stand in a body. It travels with the call.
/// </summary>
internal sealed class AuditRecord
{
    private static readonly AsyncLocal<AuditRecord?> Flowing = new();

    /// <summary>That of the management call under way; null outside of one.</summary>
    public static AuditRecord? Current => Flowing.Value;

    /// <summary>The model's name; null where the call did not get so far.</summary>
    public string? Model { get; set; }

    /// <summary>The version; null where none was named.</summary>
    public string? Version { get; set; }

    /// <summary>What kept the catalog from it; null where nothing did.</summary>
    public string? Failure { get; set; }

    /// <summary>Begins a record for what follows.</summary>
    public static AuditRecord Begin() => Flowing.Value = new AuditRecord();
}

/// <summary>
/// A JSON line for each management call: when, who, from where, what, and what came of it. Appended, and flushed to the disk.
/// </summary>
internal sealed class AuditLog : IDisposable
{
    private const string GrpcStatus = "grpc-status";

    private readonly FileStream? _file;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();

    public AuditLog(IOptions<FastNNServerOptions> options, TimeProvider time)
    {
        _time = time;
        _file = options.Value.AuditLogFile is { } path
            ? new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read)
            : null;
    }

    public void Write(HttpContext context, AuditRecord record, bool failed)
    {
        if (_file is null)
        {
            return;
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", _time.GetUtcNow());
            json.WriteString("caller", context.User.Identity?.Name ?? "");
            json.WriteString("address", context.Connection.RemoteIpAddress?.ToString() ?? "");
            json.WriteString("method", context.Request.Method);
            json.WriteString("path", context.Request.Path.Value);
            WriteIf(json, "model", record.Model ?? context.Request.RouteValues["name"]?.ToString());
            WriteIf(json, "version", record.Version ?? context.Request.RouteValues["version"]?.ToString());
            json.WriteNumber("status", failed ? StatusCodes.Status500InternalServerError : context.Response.StatusCode);
            WriteIf(json, GrpcStatus, StatusOfGrpc(context.Response));
            WriteIf(json, "failure", record.Failure);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        lock (_lock)
        {
            _file.Write(buffer.WrittenSpan);
            _file.Flush(flushToDisk: true);
        }
    }

    public void Dispose() => _file?.Dispose();

    /// <summary>In the headers where there is no message, else in the trailers.</summary>
    private static string? StatusOfGrpc(HttpResponse response)
    {
        if (response.Headers.TryGetValue(GrpcStatus, out StringValues status))
        {
            return status.ToString();
        }

        IHttpResponseTrailersFeature? trailers = response.HttpContext.Features.Get<IHttpResponseTrailersFeature>();
        return trailers?.Trailers.TryGetValue(GrpcStatus, out status) == true ? status.ToString() : null;
    }

    private static void WriteIf(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
