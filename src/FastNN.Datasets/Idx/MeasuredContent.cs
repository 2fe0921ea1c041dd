using System.IO.Compression;

namespace FastNN.Data;

/// <summary>
/// The content of a file, plain or gzip, whose true length is found before memory is reserved for it: from the file itself, or
/// by decompressing once into a small buffer that is thrown away. A gzip stream that claims gigabytes thus costs time, which a
/// limit bounds, and no memory.
/// </summary>
internal sealed class MeasuredContent : IDisposable
{
    private const int ScrapBytes = 1 << 14;

    private readonly Stream _file;
    private readonly string _name;
    private readonly bool _gzip;
    private GZipStream? _decompressor;
    private long _offset;

    public MeasuredContent(Stream file, string name)
    {
        _file = file;
        _name = name;
        Span<byte> magic = stackalloc byte[2];
        file.Position = 0;
        _gzip = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
        Restart();
    }

    /// <summary>Whether the file is a gzip stream.</summary>
    public bool IsCompressed => _gzip;

    /// <summary>Goes back to the first byte.</summary>
    public void Restart()
    {
        _decompressor?.Dispose();
        _file.Position = 0;
        _offset = 0;
        _decompressor = _gzip ? new GZipStream(_file, CompressionMode.Decompress, leaveOpen: true) : null;
    }

    /// <summary>Fills the destination, or refuses the file at the place where it ends.</summary>
    public void Read(Span<byte> destination, string what)
    {
        int got = Fill(destination);
        if (got < destination.Length)
            throw new FileFormatException(_name, _offset, what, "the end of the file");
    }

    /// <summary>
    /// Refuses content that does not end exactly <paramref name="size"/> bytes after <paramref name="offset"/>, and stands
    /// at <paramref name="offset"/> afterwards.
    /// </summary>
    public void CheckLength(long offset, long size, string what)
    {
        long expected = offset + size;
        long length = _gzip ? Measure(expected) : _file.Length;
        if (length < expected)
            throw new FileFormatException(_name, length, $"{size} bytes of {what} from offset {offset}", "the end of the file");
        if (length > expected)
            throw new FileFormatException(_name, expected, $"the end of the file after {what}", "more bytes");
        Restart();
        Skip(offset);
    }

    /// <summary>Ends the decompression; the file stays open, it belongs to the caller.</summary>
    public void Dispose() => _decompressor?.Dispose();

    private int Fill(Span<byte> destination)
    {
        try
        {
            Stream stream = _decompressor ?? _file;
            int got = stream.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
            _offset += got;
            return got;
        }
        catch (InvalidDataException e)
        {
            throw new FileFormatException(_name, _offset, "an intact gzip stream", e.Message, e);
        }
    }

    private long Measure(long limit)
    {
        Restart();
        var scrap = new byte[ScrapBytes];
        int got;
        do
            got = Fill(scrap);
        while (got == scrap.Length && _offset <= limit);
        return _offset;
    }

    private void Skip(long bytes)
    {
        Span<byte> scrap = stackalloc byte[256];
        while (_offset < bytes)
            Read(scrap[..(int)Math.Min(scrap.Length, bytes - _offset)], "the header again");
    }
}
