using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using FastNN.Hosting.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FastNN.Hosting.Rest;

/// <summary>
/// The body of a request as one sequence of bytes: the server's own buffers, or where it was compressed a rented one. It is whole
/// before a model is asked for a call, so that a slow client holds none of a model's memory. Reused; not thread-safe.
/// </summary>
internal sealed class RequestBody
{
    private const int FirstRent = 16 << 10;

    private PipeReader? _reader;
    private byte[]? _rented;

    /// <summary>The body's bytes until <see cref="Release"/>.</summary>
    public ReadOnlySequence<byte> Bytes { get; private set; }

    /// <summary>Reads the body to its end.</summary>
    /// <param name="http">The request.</param>
    /// <param name="maxBytes">The most bytes it may have, as sent and decompressed.</param>
    /// <exception cref="RequestTooLargeException">It has more.</exception>
    /// <exception cref="RestException">It is compressed in an unknown way, or wrongly.</exception>
    public ValueTask ReadAsync(HttpContext http, long maxBytes)
    {
        HttpRequest request = http.Request;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit &&
            limit.MaxRequestBodySize != maxBytes)
        {
            limit.MaxRequestBodySize = maxBytes;
        }

        if (request.ContentLength > maxBytes)
        {
            throw TooLarge(maxBytes);
        }

        string? encoding = request.Headers.ContentEncoding;
        return string.IsNullOrEmpty(encoding) || encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)
            ? ReadPlainAsync(request, maxBytes)
            : DecompressAsync(http, encoding, maxBytes);
    }

    /// <summary>Gives the bytes back.</summary>
    public void Release()
    {
        PipeReader? reader = _reader;
        _reader = null;
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }

        SequencePosition end = Bytes.End;
        Bytes = default;
        reader?.AdvanceTo(end);
    }

    private static RequestTooLargeException TooLarge(long maxBytes) =>
        new(string.Create(CultureInfo.InvariantCulture, $"expected a request body of at most {maxBytes} bytes, got more"));

    /// <summary>
    /// Reads until the body ends. A client that goes away ends the read itself; a token that does so as well leaves the reader
    /// busy, which the server then tells as an error of its own.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadPlainAsync(HttpRequest request, long maxBytes)
    {
        PipeReader reader = request.BodyReader;
        long? length = request.ContentLength;
        while (true)
        {
            ReadResult result = await reader.ReadAsync(CancellationToken.None);
            if (result.Buffer.Length > maxBytes)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw TooLarge(maxBytes);
            }

            if (result.IsCompleted || result.Buffer.Length == length)
            {
                _reader = reader;
                Bytes = result.Buffer;
                return;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private async ValueTask DecompressAsync(HttpContext http, string encoding, long maxBytes)
    {
        Stream body = http.Request.Body;

        // "deflate" is the zlib format (RFC 9110, 8.4.1.2).
        await using Stream decompressed =
            encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase) ||
            encoding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase)
                ? new GZipStream(body, CompressionMode.Decompress, leaveOpen: true)
                : encoding.Equals("deflate", StringComparison.OrdinalIgnoreCase)
                    ? new ZLibStream(body, CompressionMode.Decompress, leaveOpen: true)
                    : throw UnknownEncoding(http, encoding);
        _rented = ArrayPool<byte>.Shared.Rent(FirstRent);
        int length = 0;
        try
        {
            while (true)
            {
                if (length == _rented.Length)
                {
                    Grow(length);
                }

                int read = await decompressed.ReadAsync(_rented.AsMemory(length), http.RequestAborted);
                length += read;
                if (length > maxBytes)
                {
                    throw TooLarge(maxBytes);
                }

                if (read == 0)
                {
                    break;
                }
            }
        }
        catch (InvalidDataException)
        {
            throw new RestException(StatusCodes.Status400BadRequest,
                $"the request body is not valid {encoding} data, as its Content-Encoding says it is");
        }

        Bytes = new ReadOnlySequence<byte>(_rented, 0, length);
    }

    private static RestException UnknownEncoding(HttpContext http, string encoding)
    {
        http.Response.Headers.AcceptEncoding = "gzip, deflate";
        return new RestException(StatusCodes.Status415UnsupportedMediaType,
            $"expected a Content-Encoding of gzip, deflate or none, got {Show.Name(encoding)}");
    }

    private void Grow(int length)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(2L * length, Array.MaxLength));
        _rented.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_rented!);
        _rented = larger;
    }
}
