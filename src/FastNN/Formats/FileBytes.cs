using System.Buffers;
using FastNN.Tensors;
using Microsoft.Win32.SafeHandles;

namespace FastNN.Formats;

/// <summary>
/// A whole file in memory that is free when this is disposed, and not when the collector next looks: a service that allocates
/// nothing for its requests hardly ever collects, and would keep the files of many reloads so long.
/// </summary>
internal sealed unsafe class FileBytes : MemoryManager<byte>
{
    private readonly int _length;
    private byte* _start;

    private FileBytes(int length)
    {
        _length = length;
        _start = (byte*)HostMemory.Allocate(Math.Max(1, length), clear: false);
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="IOException">It cannot be read, has 2 GiB or more, or became shorter meanwhile.</exception>
    public static FileBytes Read(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        long length = RandomAccess.GetLength(file);
        if (length > Array.MaxLength)
        {
            throw new IOException($"expected a file of at most {Array.MaxLength:N0} bytes, got {length:N0}");
        }

        var bytes = new FileBytes((int)length);
        try
        {
            Span<byte> rest = bytes.GetSpan();
            while (!rest.IsEmpty && RandomAccess.Read(file, rest, length - rest.Length) is > 0 and var got)
            {
                rest = rest[got..];
            }

            return rest.IsEmpty
                ? bytes
                : throw new IOException($"expected {length} bytes, and {rest.Length} of them were cut off while they were read");
        }
        catch
        {
            ((IDisposable)bytes).Dispose();
            throw;
        }
    }

    /// <summary>The bytes as a stream, which must not outlive them.</summary>
    public Stream AsStream() => new UnmanagedMemoryStream(_start, _length);

    /// <inheritdoc/>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        return new Span<byte>(_start, _length);
    }

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length, nameof(elementIndex));
        return new MemoryHandle(_start + elementIndex);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        byte* start = _start;
        _start = null;
        HostMemory.Free(start);
    }
}
