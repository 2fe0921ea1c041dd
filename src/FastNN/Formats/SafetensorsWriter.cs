using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace FastNN.Formats;

/// <summary>Gives the bytes of a tensor piece by piece while a file is written, in order and each byte once.</summary>
/// <param name="firstByte">The offset of the piece within the tensor.</param>
/// <param name="destination">Where the little-endian bytes go.</param>
public delegate void SafetensorsSource(long firstByte, Span<byte> destination);

/// <summary>
/// Writes a safetensors file. The same tensors and metadata give the same bytes, in whatever order they were added: tensors
/// stand by falling element size (so that each is aligned) and then by name, metadata by key.
/// The file appears under its name only when it is complete and on the disk.
/// </summary>
public sealed class SafetensorsWriter
{
    private const int ChunkBytes = 1 << 16;

    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Adds a pair to the file's <c>__metadata__</c>, or replaces it.</summary>
    public void SetMetadata(string key, string value)
    {
        CheckName(key);
        CheckText(value);
        if (_metadata.Count == SafetensorsHeader.MaxMetadata && !_metadata.ContainsKey(key))
        {
            throw new ArgumentException(
                $"there are {SafetensorsHeader.MaxMetadata} entries of metadata already, and readers take no more", nameof(key));
        }

        _metadata[key] = value;
    }

    /// <summary>Adds a float tensor (F32). The memory is read by <see cref="Save(string)"/>, not before.</summary>
    /// <param name="name">A name that no other tensor of the file has.</param>
    /// <param name="shape">The sizes, outermost first; empty for a scalar.</param>
    /// <param name="values">The elements, row-major.</param>
    /// <exception cref="ArgumentException">The name is taken, or shape and length disagree.</exception>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<float> values) =>
        AddMemory(name, SafetensorsType.F32, shape, values);

    /// <inheritdoc cref="Add(string, ReadOnlySpan{int}, ReadOnlyMemory{float})"/>
    /// <summary>Adds a double tensor (F64). The memory is read by <see cref="Save(string)"/>, not before.</summary>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<double> values) =>
        AddMemory(name, SafetensorsType.F64, shape, values);

    /// <inheritdoc cref="Add(string, ReadOnlySpan{int}, ReadOnlyMemory{float})"/>
    /// <summary>Adds an I64 tensor. The memory is read by <see cref="Save(string)"/>, not before.</summary>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<long> values) =>
        AddMemory(name, SafetensorsType.I64, shape, values);

    /// <inheritdoc cref="Add(string, ReadOnlySpan{int}, ReadOnlyMemory{float})"/>
    /// <summary>Adds an I32 tensor. The memory is read by <see cref="Save(string)"/>, not before.</summary>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<int> values) =>
        AddMemory(name, SafetensorsType.I32, shape, values);

    /// <inheritdoc cref="Add(string, ReadOnlySpan{int}, ReadOnlyMemory{float})"/>
    /// <summary>Adds a U8 tensor. The memory is read by <see cref="Save(string)"/>, not before.</summary>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<byte> values) =>
        AddMemory(name, SafetensorsType.U8, shape, values);

    /// <summary>Adds a tensor whose bytes a source gives while the file is written, for memory that no array holds.</summary>
    /// <param name="name">A name that no other tensor of the file has.</param>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The sizes, outermost first; empty for a scalar.</param>
    /// <param name="source">Called by <see cref="Save(string)"/>, not before.</param>
    /// <exception cref="ArgumentException">The name is taken or a size is negative.</exception>
    public void Add(string name, SafetensorsType type, ReadOnlySpan<int> shape, SafetensorsSource source)
    {
        CheckName(name);
        if (_entries.Count == SafetensorsHeader.MaxTensors)
        {
            throw new ArgumentException(
                $"there are {SafetensorsHeader.MaxTensors} tensors already, and readers take no more", nameof(name));
        }

        if (name == "__metadata__")
            throw new ArgumentException("'__metadata__' is reserved and cannot name a tensor", nameof(name));
        long count = 1;
        foreach (int size in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(shape));
            count = checked(count * size);
        }

        var entry = new Entry(name, type, shape.ToArray(), checked(count * type.Size()), source);
        if (!_entries.TryAdd(name, entry))
            throw new ArgumentException($"there is a tensor '{name}' already", nameof(name));
    }

    /// <summary>Writes the file: to a temporary file in the same folder, flushed to the disk and renamed.</summary>
    /// <param name="path">The file; an older one of that name is replaced only by a complete new one.</param>
    /// <exception cref="IOException">The folder is missing or not writable, or the disk is full.</exception>
    public void Save(string path) => AtomicFile.Write(path, Save);

    /// <summary>Writes the file's bytes to a stream, from its present position on.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Entry[] entries = [.. _entries.Values];
        Array.Sort(entries, static (a, b) => a.Type.Size() != b.Type.Size()
            ? b.Type.Size().CompareTo(a.Type.Size())
            : string.CompareOrdinal(a.Name, b.Name));
        WriteHeader(stream, entries);
        var chunk = new byte[ChunkBytes];
        foreach (Entry entry in entries)
        {
            for (long at = 0; at < entry.ByteLength;)
            {
                Span<byte> piece = chunk.AsSpan(0, (int)Math.Min(ChunkBytes, entry.ByteLength - at));
                entry.Source(at, piece);
                stream.Write(piece);
                at += piece.Length;
            }
        }
    }

    private void WriteHeader(Stream stream, Entry[] entries)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            if (_metadata.Count > 0)
            {
                writer.WriteStartObject("__metadata__");
                foreach ((string key, string value) in _metadata)
                    writer.WriteString(key, value);
                writer.WriteEndObject();
            }

            long offset = 0;
            foreach (Entry entry in entries)
            {
                WriteEntry(writer, entry, offset);
                offset += entry.ByteLength;
            }

            writer.WriteEndObject();
        }

        // Padded with spaces, so that the data begins at a multiple of 8.
        int length = (json.WrittenCount + 7) & ~7;
        if (length > SafetensorsHeader.LongestHeader)
            throw new InvalidOperationException(
                $"the header has {length} bytes, at most {SafetensorsHeader.LongestHeader} are allowed");
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)length);
        stream.Write(prefix);
        stream.Write(json.WrittenSpan);
        stream.Write("       "u8[..(length - json.WrittenCount)]);
    }

    private static void WriteEntry(Utf8JsonWriter writer, Entry entry, long offset)
    {
        writer.WriteStartObject(entry.Name);
        writer.WriteString("dtype"u8, entry.Type.Name());
        writer.WriteStartArray("shape"u8);
        foreach (int size in entry.Shape)
            writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets"u8);
        writer.WriteNumberValue(offset);
        writer.WriteNumberValue(offset + entry.ByteLength);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void AddMemory<T>(string name, SafetensorsType type, ReadOnlySpan<int> shape, ReadOnlyMemory<T> values)
        where T : unmanaged
    {
        long count = 1;
        foreach (int size in shape)
            count = checked(count * size);
        if (count != values.Length)
            throw new ArgumentException(
                $"'{name}': the shape [{Join(shape)}] has {count} elements, the values {values.Length}", nameof(values));
        if (!BitConverter.IsLittleEndian && type.Size() > 1)
            throw new PlatformNotSupportedException("safetensors are written on little-endian machines only");
        int elementSize = type.Size();
        Add(name, type, shape, (first, destination) =>
        {
            ReadOnlySpan<T> piece = values.Span.Slice((int)(first / elementSize), destination.Length / elementSize);
            MemoryMarshal.AsBytes(piece).CopyTo(destination);
        });
    }

    private static string Join(ReadOnlySpan<int> shape) => string.Join(", ", shape.ToArray());

    private static void CheckName(string name)
    {
        CheckText(name);

        // As it is written: the writer escapes some characters, as six bytes at most.
        int bytes = JsonEncodedText.Encode(name).EncodedUtf8Bytes.Length;
        if (bytes > SafetensorsHeader.MaxNameBytes)
        {
            throw new ArgumentException(
                $"a name has at most {SafetensorsHeader.MaxNameBytes} bytes in the file, '{Quote.Text(name)}' has {bytes}",
                nameof(name));
        }
    }

    private static void CheckText(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i))
                i++;
            else if (char.IsSurrogate(text[i]))
                throw new ArgumentException("text with half a surrogate pair has no UTF-8 form", nameof(text));
        }
    }

    private sealed record Entry(string Name, SafetensorsType Type, int[] Shape, long ByteLength, SafetensorsSource Source);
}
