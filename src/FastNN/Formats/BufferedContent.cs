namespace FastNN.Formats;

/// <summary>
/// The whole content of a stream that cannot seek, such as a pipe, in memory. It is kept in pieces, so that never more is
/// allocated than arrived, but for one piece.
/// </summary>
internal sealed class BufferedContent : Stream
{
    private const int PieceBytes = 1 << 16;
    private const long MaxBytes = 1L << 31;

    private readonly List<byte[]> _pieces = [];
    private readonly long _length;
    private long _position;

    /// <summary>Reads a stream to its end.</summary>
    /// <exception cref="FileFormatException">It has more than 2 GiB.</exception>
    public BufferedContent(Stream stream, string name)
    {
        int got;
        do
        {
            var piece = new byte[PieceBytes];
            got = stream.ReadAtLeast(piece, PieceBytes, throwOnEndOfStream: false);
            _pieces.Add(piece);
            _length += got;
            if (_length > MaxBytes)
            {
                throw new FileFormatException(name, MaxBytes, $"at most {MaxBytes} bytes from a stream that cannot seek", "more");
            }
        }
        while (got == PieceBytes);
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => _length;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <summary>The stream itself where it can seek, else its content.</summary>
    public static Stream Seekable(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return stream.CanSeek ? stream : new BufferedContent(stream, name);
    }

    public override int Read(Span<byte> buffer)
    {
        if (_position >= _length)
        {
            return 0;
        }

        int offset = (int)(_position % PieceBytes);
        int count = (int)Math.Min(Math.Min(buffer.Length, PieceBytes - offset), _length - _position);
        _pieces[(int)(_position / PieceBytes)].AsSpan(offset, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => _length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
