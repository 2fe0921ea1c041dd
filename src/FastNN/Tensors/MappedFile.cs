using System.IO.MemoryMappedFiles;

namespace FastNN.Tensors;

/// <summary>
/// A file in the address space, read as spans of any place in it. A file that is cut short by another process while it is mapped
/// ends this process with a bus error, as everywhere; who writes such files replaces them instead of changing them.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;

    /// <summary>Maps an open file, which it owns from now on.</summary>
    public MappedFile(FileStream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        Length = file.Length;
        if (Length == 0)
        {
            // An empty file cannot be mapped.
            file.Dispose();
            return;
        }

        try
        {
            _map = MemoryMappedFile.CreateFromFile(
                file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            _view = _map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
            byte* start = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            _start = start + _view.PointerOffset;
        }
        catch
        {
            Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the file when it was mapped.</summary>
    public long Length { get; }

    /// <summary>The bytes from a place on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not all within the file.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        ObjectDisposedException.ThrowIf(_view is { SafeMemoryMappedViewHandle.IsClosed: true }, this);
        return new ReadOnlySpan<byte>(_start + offset, length);
    }

    public void Dispose()
    {
        if (_start != null && _view is { SafeMemoryMappedViewHandle.IsClosed: false })
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _view?.Dispose();
        _map?.Dispose();
    }
}
