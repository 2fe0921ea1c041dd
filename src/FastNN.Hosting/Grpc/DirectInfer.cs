using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using FastNN.Hosting.Protocol;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting;

/// <summary>
/// ModelInfer for the plain case, which is nearly every one: one uncompressed message over HTTP/2, and no deadline of gRPC's own.
/// It is read from the connection's buffers and answered into them, without the layers that other calls need. Whatever else comes
/// is left unread for gRPC's handler, so that there is one place for every rule of that protocol.
/// </summary>
internal sealed partial class DirectInfer(
    InferCodec codec, InferenceService service, GrpcServingOptions options, ILogger logger)
{
    /// <summary>
    /// Before a message stand a byte, which is 1 where it is compressed, and its length, most significant byte first.
    /// </summary>
    private const int PrefixBytes = 5;

    private const string ContentType = "application/grpc";

    /// <summary>Goes before the handler of ModelInfer.</summary>
    public void Apply(EndpointBuilder endpoint)
    {
        if (endpoint is RouteEndpointBuilder { RoutePattern.RawText: { } pattern, RequestDelegate: { } handler } &&
            pattern.EndsWith("/" + nameof(InferenceService.ModelInfer), StringComparison.Ordinal))
        {
            endpoint.RequestDelegate = http => IsPlain(http.Request) ? AnswerAsync(http, handler) : handler(http);
        }
    }

    private static bool IsPlain(HttpRequest request) =>
        HttpProtocol.IsHttp2(request.Protocol) &&
        HttpMethods.IsPost(request.Method) &&
        request.ContentType is ContentType or "application/grpc+proto" &&
        !request.Headers.ContainsKey("grpc-timeout") &&
        (!request.Headers.TryGetValue("grpc-encoding", out var encoding) || encoding == "identity");

    private async Task AnswerAsync(HttpContext http, RequestDelegate handler)
    {
        PipeReader body = http.Request.BodyReader;
        ReadResult read = await body.ReadAsync(http.RequestAborted);
        while (!read.IsCompleted && MayBePlain(read.Buffer))
        {
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await body.ReadAsync(http.RequestAborted);
        }

        if (!IsOneMessage(read.Buffer))
        {
            body.AdvanceTo(read.Buffer.Start);
            await handler(http);
            return;
        }

        InferCall call = codec.Decode(read.Buffer.Slice(PrefixBytes));
        try
        {
            body.AdvanceTo(read.Buffer.End);
            await service.RunAsync(call, DateTime.MaxValue, http.RequestAborted);
            Write(http.Response, call);
        }
        catch (Exception failure)
        {
            if (http.RequestAborted.IsCancellationRequested)
            {
                LogGone(logger);
                return;
            }

            Refuse(http.Response, failure, service.Explain(failure, call, DateTime.MaxValue));
        }
        finally
        {
            call.Release();
        }
    }

    /// <summary>Whether what has come can still be the one message that is wanted here.</summary>
    private bool MayBePlain(in ReadOnlySequence<byte> buffer) =>
        buffer.Length < PrefixBytes || (TryReadPrefix(buffer, out long length) && buffer.Length <= PrefixBytes + length);

    private bool IsOneMessage(in ReadOnlySequence<byte> buffer) =>
        TryReadPrefix(buffer, out long length) && buffer.Length == PrefixBytes + length;

    /// <returns>False where there is none, the message is compressed or above the limit.</returns>
    private bool TryReadPrefix(in ReadOnlySequence<byte> buffer, out long length)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        length = 0;
        if (buffer.Length < PrefixBytes)
        {
            return false;
        }

        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        return prefix[0] == 0 && length <= options.MaxRequestBytes;
    }

    private static void Write(HttpResponse response, InferCall call)
    {
        int size = InferEncoder.Measure(call, out int head);
        response.ContentType = ContentType;
        PipeWriter writer = response.BodyWriter;
        Span<byte> prefix = writer.GetSpan(PrefixBytes);
        prefix[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)size);
        writer.Advance(PrefixBytes);
        InferEncoder.Write(call, writer, head);
        response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>Answers by a status alone, which HTTP/2 then tells in the headers.</summary>
    private static void Refuse(HttpResponse response, Exception failure, Status status)
    {
        response.ContentType = ContentType;
        response.Headers["grpc-status"] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(status.Detail);
        foreach ((string name, string value) in RetryAfter.Trailers(failure))
        {
            response.Headers[name] = value;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A client left before its answer")]
    private static partial void LogGone(ILogger logger);
}
