using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FastNN.Formats;

/// <summary>
/// Reads a safetensors file: the header at once, each tensor when it is asked for, straight into the caller's memory.
/// A file that breaks a rule of the format is refused when it is opened, before anything of its declared size is allocated.
/// Tensors that do not begin at a multiple of their element size are legal and are read as well.
/// </summary>
public sealed class SafetensorsReader : IDisposable
{
    private const int ChunkBytes = 1 << 16;

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly SafetensorsHeader _header;
    private byte[]? _chunk;
    private bool _disposed;

    private SafetensorsReader(string path, Stream stream, bool leaveOpen, SafetensorsHeader header)
    {
        FilePath = path;
        _stream = stream;
        _leaveOpen = leaveOpen;
        _header = header;
    }

    /// <summary>The file's path.</summary>
    public string FilePath { get; }

    /// <summary>The <c>__metadata__</c> of the file; empty where it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>The tensors in the order of their bytes in the file.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors => _header.Tensors;

    /// <summary>Opens a file and checks all of its header.</summary>
    /// <param name="path">The file; a regular one.</param>
    /// <exception cref="FileFormatException">The file is not a valid safetensors file, or beyond a limit.</exception>
    /// <exception cref="IOException">The file does not exist or is not a regular file, or it cannot be read.</exception>
    /// <remarks>
    /// Limits: a header of 100,000,000 bytes (that of the reference implementation), 65,536 tensors of at most 64 dimensions,
    /// names of 512 bytes, 4,096 entries of metadata with 8 MiB of text. Opening allocates at most twice the header's size, and
    /// beyond it 256 bytes per tensor and entry and twice the metadata's size.
    /// </remarks>
    public static SafetensorsReader Open(string path) => Open(InputFile.OpenRead(path), path);

    /// <summary>Reads from a stream and checks all of the header.</summary>
    /// <param name="stream">The content, from the stream's first byte where it can seek; one that cannot, such as a pipe, is read
    /// into memory.</param>
    /// <param name="name">What messages call the stream.</param>
    /// <param name="leaveOpen">Whether the stream stays open when the reader is disposed; default false.</param>
    /// <exception cref="FileFormatException">The content is not a valid safetensors file, or beyond a limit (those of
    /// <see cref="Open(string)"/>; a stream that cannot seek has at most 2 GiB).</exception>
    public static SafetensorsReader Open(Stream stream, string name = "stream", bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!stream.CanSeek)
        {
            using Stream? source = leaveOpen ? null : stream;
            return Open(new BufferedContent(stream, name), name);
        }

        return OpenSeekable(stream, name, leaveOpen);
    }

    private static SafetensorsReader OpenSeekable(Stream stream, string name, bool leaveOpen)
    {
        try
        {
            long length = stream.Length;
            Span<byte> prefix = stackalloc byte[sizeof(ulong)];
            if (length < prefix.Length)
                throw new FileFormatException(name, length, "8 bytes of header length", $"the end of the file after {length}");
            stream.Position = 0;
            stream.ReadExactly(prefix);
            var json = new byte[SafetensorsHeader.CheckLength(name, BinaryPrimitives.ReadUInt64LittleEndian(prefix), length)];
            stream.ReadExactly(json);
            return new SafetensorsReader(name, stream, leaveOpen, SafetensorsHeader.Parse(name, json, length));
        }
        catch (EndOfStreamException e)
        {
            Close(stream, leaveOpen);
            throw new FileFormatException(name, 0, "a file that keeps its length", "one that shrank while it was read", e);
        }
        catch
        {
            Close(stream, leaveOpen);
            throw;
        }
    }

    /// <summary>Whether the file has a tensor of this name.</summary>
    public bool Contains(string name) => _header.ByName.ContainsKey(name);

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="FileFormatException">The file has none.</exception>
    public SafetensorsTensor Find(string name) => _header.ByName.TryGetValue(name, out SafetensorsTensor? tensor)
        ? tensor
        : throw new FileFormatException(
            FilePath, sizeof(ulong), $"a tensor '{Quote.Text(name)}'", $"{Tensors.Count} tensors of other names");

    /// <summary>Reads a tensor of any type as floats, rounding where the type is wider.</summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <param name="destination">Exactly as many elements as the tensor has.</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void Read(SafetensorsTensor tensor, Span<float> destination)
    {
        CheckLength(tensor, destination.Length);
        if (tensor.Type == SafetensorsType.F32 && BitConverter.IsLittleEndian)
        {
            ReadSingles(tensor, destination);
            return;
        }

        int size = tensor.Type.Size();
        byte[] chunk = _chunk ??= new byte[ChunkBytes];
        for (int done = 0; done < destination.Length;)
        {
            int count = Math.Min(ChunkBytes / size, destination.Length - done);
            Span<byte> raw = chunk.AsSpan(0, count * size);
            ReadBytes(tensor, (long)done * size, raw);
            Convert(tensor.Type, raw, destination.Slice(done, count));
            done += count;
        }
    }

    /// <summary>Reads an integer tensor (I64, I32, U8, BOOL).</summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <param name="destination">Exactly as many elements as the tensor has.</param>
    /// <exception cref="ArgumentException">The destination has another length, or the tensor is not an integer
    /// tensor.</exception>
    public void Read(SafetensorsTensor tensor, Span<long> destination)
    {
        CheckLength(tensor, destination.Length);
        int size = tensor.Type.Size();
        byte[] chunk = _chunk ??= new byte[ChunkBytes];
        for (int done = 0; done < destination.Length;)
        {
            int count = Math.Min(ChunkBytes / size, destination.Length - done);
            Span<byte> raw = chunk.AsSpan(0, count * size);
            ReadBytes(tensor, (long)done * size, raw);
            for (int i = 0; i < count; i++)
            {
                destination[done + i] = tensor.Type switch
                {
                    SafetensorsType.Bool or SafetensorsType.U8 => raw[i],
                    SafetensorsType.I32 => BinaryPrimitives.ReadInt32LittleEndian(raw[(i * 4)..]),
                    SafetensorsType.I64 => BinaryPrimitives.ReadInt64LittleEndian(raw[(i * 8)..]),
                    _ => throw new ArgumentException($"{tensor} is not an integer tensor; read it as floats", nameof(tensor)),
                };
            }

            done += count;
        }
    }

    /// <summary>Reads an F64 or F32 tensor as doubles, without rounding.</summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <param name="destination">Exactly as many elements as the tensor has.</param>
    /// <exception cref="ArgumentException">The destination has another length, or the tensor is of another type.</exception>
    public void Read(SafetensorsTensor tensor, Span<double> destination)
    {
        CheckLength(tensor, destination.Length);
        int size = tensor.Type.Size();
        byte[] chunk = _chunk ??= new byte[ChunkBytes];
        for (int done = 0; done < destination.Length;)
        {
            int count = Math.Min(ChunkBytes / size, destination.Length - done);
            Span<byte> raw = chunk.AsSpan(0, count * size);
            ReadBytes(tensor, (long)done * size, raw);
            for (int i = 0; i < count; i++)
            {
                destination[done + i] = tensor.Type switch
                {
                    SafetensorsType.F32 => BinaryPrimitives.ReadSingleLittleEndian(raw[(i * 4)..]),
                    SafetensorsType.F64 => BinaryPrimitives.ReadDoubleLittleEndian(raw[(i * 8)..]),
                    _ => throw new ArgumentException($"{tensor} is neither F32 nor F64", nameof(tensor)),
                };
            }

            done += count;
        }
    }

    /// <summary>Reads a tensor's bytes as they stand in the file.</summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <param name="destination">Exactly <see cref="SafetensorsTensor.ByteLength"/> bytes.</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void ReadRaw(SafetensorsTensor tensor, Span<byte> destination)
    {
        if (destination.Length != tensor.ByteLength)
            throw new ArgumentException(
                $"{tensor} has {tensor.ByteLength} bytes, the destination {destination.Length}", nameof(destination));
        ReadBytes(tensor, 0, destination);
    }

    /// <summary>The tensor of this name as a new array of floats.</summary>
    /// <exception cref="FileFormatException">The file has no such tensor, or it has more elements than an array
    /// holds.</exception>
    public float[] ReadSingles(string name)
    {
        SafetensorsTensor tensor = Find(name);
        var values = new float[ArrayLength(tensor)];
        Read(tensor, values);
        return values;
    }

    /// <summary>The integer tensor of this name as a new array.</summary>
    /// <exception cref="FileFormatException">The file has no such tensor, or it has more elements than an array
    /// holds.</exception>
    /// <exception cref="ArgumentException">The tensor is not an integer tensor.</exception>
    public long[] ReadInt64s(string name)
    {
        SafetensorsTensor tensor = Find(name);
        var values = new long[ArrayLength(tensor)];
        Read(tensor, values);
        return values;
    }

    /// <summary>Closes the file; a second call does nothing.</summary>
    public void Dispose()
    {
        _disposed = true;
        Close(_stream, _leaveOpen);
    }

    private static void Close(Stream stream, bool leaveOpen)
    {
        if (!leaveOpen)
        {
            stream.Dispose();
        }
    }

    private void ReadSingles(SafetensorsTensor tensor, Span<float> destination)
    {
        // In pieces, because the bytes of a long span of floats are more than a span of bytes can count.
        const int Piece = 1 << 28;
        for (int done = 0; done < destination.Length; done += Piece)
        {
            Span<float> piece = destination.Slice(done, Math.Min(Piece, destination.Length - done));
            ReadBytes(tensor, (long)done * sizeof(float), MemoryMarshal.AsBytes(piece));
        }
    }

    private static void Convert(SafetensorsType type, ReadOnlySpan<byte> raw, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = type switch
            {
                SafetensorsType.Bool or SafetensorsType.U8 => raw[i],
                SafetensorsType.F16 => (float)BinaryPrimitives.ReadHalfLittleEndian(raw[(i * 2)..]),
                SafetensorsType.BF16 =>
                    BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(raw[(i * 2)..]) << 16),
                SafetensorsType.I32 => BinaryPrimitives.ReadInt32LittleEndian(raw[(i * 4)..]),
                SafetensorsType.F32 => BinaryPrimitives.ReadSingleLittleEndian(raw[(i * 4)..]),
                SafetensorsType.I64 => BinaryPrimitives.ReadInt64LittleEndian(raw[(i * 8)..]),
                _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(raw[(i * 8)..]),
            };
        }
    }

    private void CheckLength(SafetensorsTensor tensor, int length)
    {
        if (length != tensor.Count)
            throw new ArgumentException($"{FilePath}: {tensor} has {tensor.Count} elements, the destination {length}");
    }

    private int ArrayLength(SafetensorsTensor tensor) => tensor.Count <= Array.MaxLength
        ? (int)tensor.Count
        : throw new FileFormatException(FilePath, tensor.Offset, $"at most {Array.MaxLength} elements for an array", $"{tensor}");

    private void ReadBytes(SafetensorsTensor tensor, long from, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_header.ByName.TryGetValue(tensor.Name, out SafetensorsTensor? own) || !ReferenceEquals(own, tensor))
            throw new ArgumentException($"{tensor} is not a tensor of {FilePath}", nameof(tensor));
        try
        {
            _stream.Position = tensor.Offset + from;
            _stream.ReadExactly(destination);
        }
        catch (EndOfStreamException e)
        {
            throw new FileFormatException(FilePath, tensor.Offset + from, $"{destination.Length} bytes of {tensor}",
                "a file that shrank after it was opened", e);
        }
    }
}
