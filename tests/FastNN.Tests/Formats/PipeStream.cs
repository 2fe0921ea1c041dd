namespace FastNN.Tests.Formats;

/// <summary>A stream that cannot seek and gives its content in pieces of odd sizes, as a pipe does.</summary>
internal sealed class PipeStream(byte[] content) : MemoryStream(content, writable: false)
{
    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        byte[] piece = new byte[Math.Min(buffer.Length, 1777)];
        int got = base.Read(piece, 0, piece.Length);
        piece.AsSpan(0, got).CopyTo(buffer);
        return got;
    }
}
