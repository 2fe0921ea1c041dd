using System.Globalization;
using System.IO.Compression;
using System.Text;
using FastNN.Formats;
using FastNN.Onnx.Host;
using FastNN.Onnx.Numpy;

namespace FastNN.Onnx;

/// <summary>
/// NumPy's files: one array (.npy, versions 1 to 3) or several with names (.npz). Arrays of bool, integers, float16, float32,
/// float64 and text are tensors; objects, structures and complex numbers are refused. What a file claims is held against its size
/// before anything is allocated.
/// </summary>
public static class NumpyFile
{
    private const string Extension = ".npy";
    private const int MostArrays = 1 << 16, Chunk = 1 << 20;

    // No stream of DEFLATE holds more bytes per byte than this.
    private const long MostPacked = 1032;

    /// <summary>Reads an array.</summary>
    /// <param name="path">A .npy file.</param>
    /// <returns>The array, in row-major order whatever the file's is.</returns>
    /// <exception cref="FileFormatException">The file is not an array of a supported type; the message has the byte
    /// offset.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    public static OnnxTensor Read(string path)
    {
        using FileStream file = InputFile.OpenRead(path);
        using var buffered = new BufferedStream(file, 1 << 16);
        return Read(buffered, path, file.Length);
    }

    /// <summary>Reads an array that fills the rest of a stream.</summary>
    /// <param name="stream">The stream, which stays open.</param>
    /// <param name="name">What messages call it.</param>
    /// <returns>The array, in row-major order whatever the stream's is.</returns>
    /// <exception cref="FileFormatException">The stream holds no array of a supported type; the message has the
    /// offset.</exception>
    public static OnnxTensor Read(Stream stream, string name = "stream")
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Read(stream, name, null);
    }

    /// <summary>Writes an array; the file appears whole or not at all.</summary>
    /// <param name="path">The .npy file.</param>
    /// <param name="tensor">What to write; NumPy has no bfloat16, and no floats or integers below 8 bits.</param>
    /// <exception cref="NotSupportedException">NumPy does not have the element type.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, OnnxTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        RequireType(tensor);
        AtomicFile.Write(path, stream => Write(stream, tensor));
    }

    /// <summary>Writes an array to a stream.</summary>
    /// <param name="stream">The stream, which stays open.</param>
    /// <param name="tensor">What to write; NumPy has no bfloat16, and no floats or integers below 8 bits.</param>
    /// <exception cref="NotSupportedException">NumPy does not have the element type.</exception>
    public static void Write(Stream stream, OnnxTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensor);
        RequireType(tensor);
        if (tensor.ElementType == OnnxElementType.String)
        {
            WriteText(stream, tensor);
            return;
        }

        NumpyHeader.Write(stream, NumpyType.NameOf(tensor.ElementType)!, tensor.Dims);
        if (BitConverter.IsLittleEndian)
        {
            stream.Write(tensor.Bytes());
        }
        else
        {
            byte[] bytes = tensor.Bytes().ToArray();
            Swap(bytes, tensor.ElementType.Bits() / 8);
            stream.Write(bytes);
        }
    }

    /// <summary>Reads all arrays of an archive.</summary>
    /// <param name="path">A .npz file.</param>
    /// <returns>The arrays by name, without the ending .npy.</returns>
    /// <exception cref="FileFormatException">The file is not an archive of arrays of supported types.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    public static IReadOnlyDictionary<string, OnnxTensor> ReadArchive(string path)
    {
        using FileStream file = InputFile.OpenRead(path);
        try
        {
            using var archive = new ZipArchive(file, ZipArchiveMode.Read);
            var arrays = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
            if (archive.Entries.Count > MostArrays)
            {
                throw new FileFormatException(path, 0, $"at most {MostArrays} arrays", $"{archive.Entries.Count}");
            }

            foreach (ZipArchiveEntry entry in archive.Entries)
            {
                string name = $"{path}:{entry.FullName}";
                if (!entry.FullName.EndsWith(Extension, StringComparison.Ordinal))
                {
                    throw new FileFormatException(path, 0, "arrays whose names end in .npy", $"'{entry.FullName}'");
                }

                if (entry.Length > (entry.CompressedLength + 1) * MostPacked)
                {
                    throw new FileFormatException(
                        name, 0, $"at most {MostPacked} bytes for each packed one",
                        string.Create(CultureInfo.InvariantCulture, $"{entry.Length} for {entry.CompressedLength}"));
                }

                using Stream stream = entry.Open();
                if (!arrays.TryAdd(entry.FullName[..^Extension.Length], Read(stream, name, entry.Length)))
                {
                    throw new FileFormatException(path, 0, "names that occur once", $"'{entry.FullName}' again");
                }
            }

            return arrays;
        }
        catch (InvalidDataException e)
        {
            throw new FileFormatException(path, 0, "a zip archive of arrays", e.Message, e);
        }
    }

    /// <summary>Writes arrays with names into an archive, packed; the file appears whole or not at all.</summary>
    /// <param name="path">The .npz file.</param>
    /// <param name="arrays">The arrays by name.</param>
    /// <exception cref="NotSupportedException">NumPy does not have an element type.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void WriteArchive(string path, IReadOnlyDictionary<string, OnnxTensor> arrays)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        foreach (OnnxTensor tensor in arrays.Values)
        {
            RequireType(tensor);
        }

        AtomicFile.Write(path, file =>
        {
            using var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true);
            foreach ((string name, OnnxTensor tensor) in arrays)
            {
                using Stream stream = archive.CreateEntry(name + Extension, CompressionLevel.Fastest).Open();
                Write(stream, tensor);
            }
        });
    }

    private static OnnxTensor Read(Stream stream, string name, long? length)
    {
        NumpyHeader header = NumpyHeader.Read(stream, name);
        if (length is { } known && known - header.DataOffset != header.Bytes)
        {
            throw new FileFormatException(
                name, header.DataOffset, string.Create(CultureInfo.InvariantCulture, $"{header.Bytes} bytes of elements"),
                string.Create(CultureInfo.InvariantCulture, $"{known - header.DataOffset}"));
        }

        OnnxTensor tensor = header.Type.Element == OnnxElementType.String
            ? new OnnxTensor(OnnxElementType.String, header.Shape, Text(Bytes(stream, header, name), header))
            : Numbers(stream, header, name, isKnown: length is not null);
        if (stream.ReadByte() >= 0)
        {
            throw new FileFormatException(name, header.DataOffset + header.Bytes, "the end of the file", "more bytes");
        }

        if (!header.IsFortran || header.Shape.Length < 2)
        {
            return tensor;
        }

        int[] order = [.. Enumerable.Range(0, header.Shape.Length).Reverse()];
        return Shapes.Transpose(tensor.WithDims([.. header.Shape.Reverse()]), order);
    }

    private static OnnxTensor Numbers(Stream stream, NumpyHeader header, string name, bool isKnown)
    {
        // What a stream of unknown length claims is believed as far as it has come.
        byte[]? arrived = isKnown ? null : Bytes(stream, header, name);
        OnnxTensor tensor = OnnxTensor.Zeros(header.Type.Element, header.Shape);
        Span<byte> bytes = tensor.Bytes();
        int got = arrived is null ? stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) : arrived.Length;
        if (got < bytes.Length)
        {
            throw Short(header, name, got);
        }

        arrived?.CopyTo(bytes);
        if (header.Type.Element == OnnxElementType.Bool)
        {
            foreach (ref byte b in bytes)
            {
                b = b == 0 ? (byte)0 : (byte)1;
            }
        }

        if (header.Type.IsSwapped == BitConverter.IsLittleEndian)
        {
            Swap(bytes, header.Type.Size);
        }

        return tensor;
    }

    private static byte[] Bytes(Stream stream, NumpyHeader header, string name)
    {
        if (header.Bytes > Array.MaxLength)
        {
            throw new FileFormatException(name, header.DataOffset, $"at most {Array.MaxLength} bytes", $"{header.Bytes}");
        }

        var bytes = new byte[Math.Min(header.Bytes, Chunk)];
        int count = 0;
        while (true)
        {
            int got = stream.ReadAtLeast(bytes.AsSpan(count), bytes.Length - count, throwOnEndOfStream: false);
            count += got;
            if (count < bytes.Length)
            {
                throw Short(header, name, count);
            }

            if (count == header.Bytes)
            {
                return bytes;
            }

            Array.Resize(ref bytes, (int)Math.Min(header.Bytes, 2L * bytes.Length));
        }
    }

    private static FileFormatException Short(NumpyHeader header, string name, long got) =>
        new(name, header.DataOffset + got, string.Create(CultureInfo.InvariantCulture, $"{header.Bytes} bytes of elements"),
            string.Create(CultureInfo.InvariantCulture, $"the end of the file after {got}"));

    private static string[] Text(byte[] bytes, NumpyHeader header)
    {
        Encoding encoding = !header.Type.IsUnicode ? Encoding.Latin1
            : header.Type.IsSwapped ? new UTF32Encoding(bigEndian: true, byteOrderMark: false)
            : Encoding.UTF32;
        var texts = new string[header.Count];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = encoding.GetString(bytes, i * header.Type.Size, header.Type.Size).TrimEnd('\0');
        }

        return texts;
    }

    private static void WriteText(Stream stream, OnnxTensor tensor)
    {
        string[] texts = tensor.Array<string>();
        int longest = Math.Max(1, texts.Select(text => Encoding.UTF32.GetByteCount(text) / 4).DefaultIfEmpty().Max());
        NumpyHeader.Write(stream, string.Create(CultureInfo.InvariantCulture, $"<U{longest}"), tensor.Dims);
        var row = new byte[4 * longest];
        foreach (string text in texts)
        {
            Array.Clear(row);
            Encoding.UTF32.GetBytes(text, row);
            stream.Write(row);
        }
    }

    private static void Swap(Span<byte> bytes, int size)
    {
        for (int i = 0; size > 1 && i < bytes.Length; i += size)
        {
            bytes.Slice(i, size).Reverse();
        }
    }

    private static void RequireType(OnnxTensor tensor)
    {
        if (tensor.ElementType != OnnxElementType.String && NumpyType.NameOf(tensor.ElementType) is null)
        {
            throw new NotSupportedException(
                $"NumpyFile: expected bool, integers of 8 to 64 bits, float16, float32, float64 or text, got {tensor.ElementType.Name()}.");
        }
    }
}
