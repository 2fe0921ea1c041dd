using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>The element types of an IDX file, with the codes of its magic number.</summary>
public enum IdxType
{
    /// <summary>Unsigned bytes: images and labels.</summary>
    UInt8 = 0x08,

    /// <summary>Signed bytes.</summary>
    Int8 = 0x09,

    /// <summary>16-bit integers.</summary>
    Int16 = 0x0B,

    /// <summary>32-bit integers.</summary>
    Int32 = 0x0C,

    /// <summary>32-bit floats.</summary>
    Float32 = 0x0D,

    /// <summary>64-bit floats.</summary>
    Float64 = 0x0E,
}

/// <summary>
/// An array in IDX, the format of MNIST: a magic number (0, 0, type, rank), the sizes and the elements, all big-endian; plain
/// or compressed with gzip, which is told by the content and not by the name.
/// The declared sizes are compared with the bytes that are there before anything of their size is allocated.
/// </summary>
public sealed class IdxFile
{
    private const int Prefix = 4;
    private const int HighestRank = 16;
    private const long MinMaxBytes = 64 << 20;
    private const int MaxExpansion = 32;

    private readonly byte[] _bytes;
    private readonly int[] _shape;

    private IdxFile(string name, IdxType type, int[] shape, byte[] bytes)
    {
        FilePath = name;
        Type = type;
        _shape = shape;
        _bytes = bytes;
    }

    /// <summary>The file's path.</summary>
    public string FilePath { get; }

    /// <summary>The element type.</summary>
    public IdxType Type { get; }

    /// <summary>The sizes, outermost first: <c>[60000, 28, 28]</c> for the images of MNIST.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>The number of elements.</summary>
    public int Count => _bytes.Length / ElementSize(Type);

    /// <summary>The first element's offset in the (decompressed) file.</summary>
    public long DataOffset => Prefix + (_shape.Length * sizeof(int));

    internal byte[] Bytes => _bytes;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file, plain or gzip; a regular one.</param>
    /// <param name="maxBytes">The most bytes that a gzip file may hold when it is decompressed; by default 64 MiB, or 32 times
    /// the file where that is more. Nothing else is allocated in proportion to the content.</param>
    /// <exception cref="FileFormatException">Wrong magic number, sizes that are zero, too large or disagree with the length of
    /// the content, a damaged gzip stream, or a float that is NaN or infinite.</exception>
    /// <exception cref="IOException">The file does not exist or is not a regular file, or it cannot be read.</exception>
    public static IdxFile Read(string path, long? maxBytes = null)
    {
        using FileStream file = InputFile.OpenRead(path);
        return Read(file, path, maxBytes);
    }

    /// <summary>Reads from a stream, which stays open.</summary>
    /// <param name="stream">The content, plain or gzip, from the stream's first byte where it can seek; one that cannot, such as
    /// a pipe, is read into memory.</param>
    /// <param name="name">What messages call the stream.</param>
    /// <param name="maxBytes">As for <see cref="Read(string, long?)"/>.</param>
    /// <inheritdoc cref="Read(string, long?)" path="/exception"/>
    public static IdxFile Read(Stream stream, string name = "stream", long? maxBytes = null)
    {
        Stream file = BufferedContent.Seekable(stream, name);
        using var content = new MeasuredContent(file, name);
        (IdxType type, int[] shape) = ReadHeader(content, name);
        long dataOffset = Prefix + (shape.Length * sizeof(int));
        long size = DataSize(name, type, shape);
        CheckExpansion(content, name, dataOffset + size, maxBytes ?? Math.Max(MinMaxBytes, MaxExpansion * file.Length));
        content.CheckLength(dataOffset, size, $"{type}[{string.Join(", ", shape)}]");

        var bytes = new byte[size];
        content.Read(bytes, "a file that keeps its length");
        ToHostOrder(type, bytes);
        CheckFinite(name, type, bytes, dataOffset);
        return new IdxFile(name, type, shape, bytes);
    }

    /// <summary>The elements of an integer or float file, in the file's own type.</summary>
    /// <typeparam name="T">byte, sbyte, short, int, float or double, as <see cref="Type"/> says.</typeparam>
    /// <exception cref="InvalidOperationException">The file's type is another.</exception>
    public ReadOnlySpan<T> Elements<T>()
        where T : unmanaged
    {
        bool same = Type switch
        {
            IdxType.UInt8 => typeof(T) == typeof(byte),
            IdxType.Int8 => typeof(T) == typeof(sbyte),
            IdxType.Int16 => typeof(T) == typeof(short),
            IdxType.Int32 => typeof(T) == typeof(int),
            IdxType.Float32 => typeof(T) == typeof(float),
            _ => typeof(T) == typeof(double),
        };
        return same
            ? MemoryMarshal.Cast<byte, T>(_bytes)
            : throw new InvalidOperationException($"{FilePath} holds {Type}, not {typeof(T).Name}");
    }

    /// <summary>The elements of a file of any type as floats, unscaled.</summary>
    /// <param name="destination">Exactly <see cref="Count"/> elements.</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void CopyTo(Span<float> destination)
    {
        if (destination.Length != Count)
            throw new ArgumentException(
                $"{FilePath} has {Count} elements, the destination {destination.Length}", nameof(destination));
        switch (Type)
        {
            case IdxType.UInt8:
                Copy(Elements<byte>(), destination);
                break;
            case IdxType.Int8:
                Copy(Elements<sbyte>(), destination);
                break;
            case IdxType.Int16:
                Copy(Elements<short>(), destination);
                break;
            case IdxType.Int32:
                Copy(Elements<int>(), destination);
                break;
            case IdxType.Float32:
                Elements<float>().CopyTo(destination);
                break;
            default:
                Copy(Elements<double>(), destination);
                break;
        }
    }

    /// <summary>The SHA-256 of the decompressed content of a file of unsigned bytes, in lower-case hexadecimal.</summary>
    internal string ContentSha256()
    {
        var header = new byte[DataOffset];
        header[2] = (byte)Type;
        header[3] = (byte)_shape.Length;
        for (int i = 0; i < _shape.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(Prefix + (i * sizeof(int))), _shape[i]);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(header);
        hash.AppendData(_bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static (IdxType Type, int[] Shape) ReadHeader(MeasuredContent content, string name)
    {
        Span<byte> magic = stackalloc byte[Prefix];
        content.Read(magic, "an IDX magic number");
        if (magic[0] != 0 || magic[1] != 0)
            throw new FileFormatException(name, 0, "an IDX magic number (00 00 type rank)", Convert.ToHexString(magic));
        var type = (IdxType)magic[2];
        if (!Enum.IsDefined(type))
            throw new FileFormatException(name, 2, "an IDX type of 08, 09, 0B, 0C, 0D, 0E", $"{magic[2]:X2}");
        if (magic[3] is 0 or > HighestRank)
            throw new FileFormatException(name, 3, $"a rank from 1 to {HighestRank}", $"{magic[3]}");

        var shape = new int[magic[3]];
        Span<byte> size = stackalloc byte[sizeof(int)];
        for (int i = 0; i < shape.Length; i++)
        {
            long offset = Prefix + (i * sizeof(int));
            content.Read(size, $"size {i + 1} of {shape.Length}");
            shape[i] = BinaryPrimitives.ReadInt32BigEndian(size);
            if (shape[i] <= 0)
                throw new FileFormatException(name, offset, $"a size from 1 to {int.MaxValue}", $"{(uint)shape[i]}");
        }

        return (type, shape);
    }

    // Deflate makes a thousand bytes of one; images compress by five.
    private static void CheckExpansion(MeasuredContent content, string name, long size, long maxBytes)
    {
        if (content.IsCompressed && size > maxBytes)
        {
            throw new FileFormatException(
                name, Prefix, $"at most {maxBytes} bytes of decompressed content (a larger maxBytes allows more)",
                $"{size} declared bytes");
        }
    }

    private static long DataSize(string name, IdxType type, int[] shape)
    {
        long size = ElementSize(type);
        foreach (int length in shape)
        {
            // Both factors are below 2^31, so the product cannot overflow before it is refused.
            size *= length;
            if (size > Array.MaxLength)
            {
                throw new FileFormatException(name, Prefix, $"at most {Array.MaxLength} bytes of data",
                    $"declared sizes [{string.Join(", ", shape)}] of {type}");
            }
        }

        return size;
    }

    private static int ElementSize(IdxType type) => type switch
    {
        IdxType.UInt8 or IdxType.Int8 => 1,
        IdxType.Int16 => 2,
        IdxType.Int32 or IdxType.Float32 => 4,
        _ => 8,
    };

    private static void ToHostOrder(IdxType type, byte[] bytes)
    {
        if (!BitConverter.IsLittleEndian)
            return;
        switch (ElementSize(type))
        {
            case 2:
                Span<short> shorts = MemoryMarshal.Cast<byte, short>(bytes.AsSpan());
                BinaryPrimitives.ReverseEndianness(shorts, shorts);
                break;
            case 4:
                Span<int> ints = MemoryMarshal.Cast<byte, int>(bytes.AsSpan());
                BinaryPrimitives.ReverseEndianness(ints, ints);
                break;
            case 8:
                Span<long> longs = MemoryMarshal.Cast<byte, long>(bytes.AsSpan());
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }

    private static void CheckFinite(string name, IdxType type, byte[] bytes, long dataOffset)
    {
        if (type == IdxType.Float32)
        {
            ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(bytes);
            for (int i = 0; i < values.Length; i++)
            {
                if (!float.IsFinite(values[i]))
                    throw new FileFormatException(
                        name, dataOffset + ((long)i * sizeof(float)), "a finite number", $"{values[i]}");
            }
        }
        else if (type == IdxType.Float64)
        {
            ReadOnlySpan<double> values = MemoryMarshal.Cast<byte, double>(bytes);
            for (int i = 0; i < values.Length; i++)
            {
                if (!double.IsFinite(values[i]) || Math.Abs(values[i]) > float.MaxValue)
                {
                    throw new FileFormatException(name, dataOffset + ((long)i * sizeof(double)),
                        "a finite number in the range of float", $"{values[i]}");
                }
            }
        }
    }

    private static void Copy<T>(ReadOnlySpan<T> source, Span<float> destination)
        where T : unmanaged, System.Numerics.INumberBase<T>
    {
        for (int i = 0; i < source.Length; i++)
            destination[i] = float.CreateTruncating(source[i]);
    }
}
