using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace FastNN.Hosting;

/// <summary>
/// Decompresses messages up to the limit of messages: a few bytes can stand for gigabytes, and gRPC counts only those that came.
/// Answers are not compressed: that costs more time than the network does.
/// </summary>
internal sealed class LimitedDecompression(string encoding, int maxBytes, Func<Stream, Stream> decompress) : ICompressionProvider
{
    /// <inheritdoc />
    public string EncodingName => encoding;

    /// <summary>The encodings that gRPC's clients know.</summary>
    public static ICompressionProvider[] All(int maxBytes) =>
    [
        new LimitedDecompression(
            "gzip", maxBytes, static stream => new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true)),
        new LimitedDecompression(
            "deflate", maxBytes, static stream => new ZLibStream(stream, CompressionMode.Decompress, leaveOpen: true)),
    ];

    /// <inheritdoc />
    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) => encoding == "gzip"
        ? new GZipStream(stream, compressionLevel ?? CompressionLevel.Fastest, leaveOpen: true)
        : new ZLibStream(stream, compressionLevel ?? CompressionLevel.Fastest, leaveOpen: true);

    /// <inheritdoc />
    public Stream CreateDecompressionStream(Stream stream) => new LimitedStream(decompress(stream), maxBytes);

    private sealed class LimitedStream(Stream inner, long maxBytes) : Stream
    {
        private long _read;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => _read;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int count;
            try
            {
                count = inner.Read(buffer);
            }
            catch (InvalidDataException)
            {
                throw new RpcException(new Status(
                    StatusCode.InvalidArgument, "expected a message compressed as grpc-encoding says, got other bytes"));
            }

            _read += count;
            return _read <= maxBytes
                ? count
                : throw new RpcException(new Status(
                    StatusCode.ResourceExhausted,
                    $"expected a message of at most {maxBytes} bytes, got more when it was decompressed"));
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
