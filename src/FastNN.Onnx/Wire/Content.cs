using System.Buffers;
using FastNN.Formats;
using FastNN.Tensors;

namespace FastNN.Onnx.Wire;

/// <summary>
/// The bytes of a file, mapped, or of memory that the caller gave or lent. Places are from its first byte.
/// </summary>
internal sealed class Content : IDisposable
{
    private readonly MappedFile? _file;
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly IDisposable? _owner;

    private Content(string name, MappedFile? file, ReadOnlyMemory<byte> memory, IDisposable? owner = null)
    {
        Name = name;
        _file = file;
        _memory = memory;
        _owner = owner;
    }

    /// <summary>What messages call it: the path of a file.</summary>
    public string Name { get; }

    public long Length => _file?.Length ?? _memory.Length;

    /// <exception cref="IOException">There is no such file, or it is not a regular one.</exception>
    public static Content OfFile(string path) => new(path, new MappedFile(InputFile.OpenRead(path)), default);

    public static Content OfMemory(ReadOnlyMemory<byte> memory, string name) => new(name, null, memory);

    /// <summary>Of memory that goes when the content is disposed.</summary>
    public static Content OfMemory(IMemoryOwner<byte> owner, string name) => new(name, null, owner.Memory, owner);

    /// <summary>Reads a stream to its end.</summary>
    /// <exception cref="FileFormatException">It has more than 2 GiB.</exception>
    public static Content OfStream(Stream stream, string name)
    {
        using var all = new MemoryStream();
        var piece = new byte[1 << 16];
        int got;
        while ((got = stream.Read(piece)) > 0)
        {
            if (all.Length + got > Array.MaxLength)
            {
                throw new FileFormatException(name, all.Length, $"at most {Array.MaxLength} bytes from a stream", "more");
            }

            all.Write(piece, 0, got);
        }

        return new Content(name, null, all.GetBuffer().AsMemory(0, (int)all.Length));
    }

    public ReadOnlySpan<byte> Slice(long offset, int length) =>
        _file is null ? _memory.Span.Slice(checked((int)offset), length) : _file.Slice(offset, length);

    public void Dispose()
    {
        _file?.Dispose();
        _owner?.Dispose();
    }
}

/// <summary>Some bytes of a content.</summary>
internal readonly record struct ByteRange(Content Content, long Offset, long Length)
{
    public long End => Offset + Length;
}
