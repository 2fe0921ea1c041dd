using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace FastNN.Onnx.Numpy;

/// <summary>
/// The header of a .npy file (NEP 1, versions 1 to 3): magic, version, length, and a Python literal with the keys descr,
/// fortran_order and shape.
/// </summary>
internal sealed record NumpyHeader(NumpyType Type, bool IsFortran, int[] Shape, long DataOffset)
{
    private const int MostBytes = 1 << 20, MostAxes = 64, Alignment = 64;
    private static readonly byte[] Magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>How many elements there are.</summary>
    public int Count { get; private init; }

    /// <summary>How many bytes they take.</summary>
    public long Bytes => (long)Count * Type.Size;

    /// <summary>Reads a header from where a stream is.</summary>
    public static NumpyHeader Read(Stream stream, string name)
    {
        Span<byte> start = stackalloc byte[8];
        Fill(stream, start, name, 0, "the magic bytes \\x93NUMPY and a version");
        if (!start[..6].SequenceEqual(Magic))
        {
            throw new FileFormatException(name, 0, "the magic bytes \\x93NUMPY", Convert.ToHexString(start[..6]));
        }

        if (start[6] is < 1 or > 3 || start[7] != 0)
        {
            throw new FileFormatException(
                name, 6, "version 1.0, 2.0 or 3.0", string.Create(CultureInfo.InvariantCulture, $"{start[6]}.{start[7]}"));
        }

        Span<byte> size = stackalloc byte[start[6] == 1 ? 2 : 4];
        Fill(stream, size, name, 8, "the header's length");
        long length = size.Length == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(size)
            : BinaryPrimitives.ReadUInt32LittleEndian(size);
        if (length > MostBytes)
        {
            throw new FileFormatException(
                name, 8, $"a header of at most {MostBytes} bytes", string.Create(CultureInfo.InvariantCulture, $"{length}"));
        }

        var text = new byte[length];
        Fill(stream, text, name, 8 + size.Length, "the header");
        var parser = new NumpyLiteral(
            (start[6] == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(text), name, 8 + size.Length);
        (string descr, bool fortran, long[] shape) = parser.Header();
        return Of(descr, fortran, shape, name, 8 + size.Length + length);
    }

    private static NumpyHeader Of(string descr, bool fortran, long[] shape, string name, long offset)
    {
        NumpyType type = NumpyType.Parse(descr) ?? throw new FileFormatException(
            name, 8, "elements of bool, an integer, float16, float32, float64 or text", $"descr '{descr}'");
        if (shape.Length > MostAxes)
        {
            throw new FileFormatException(
                name, 8, $"at most {MostAxes} axes", string.Create(CultureInfo.InvariantCulture, $"{shape.Length}"));
        }

        long count = Array.IndexOf(shape, 0) >= 0 ? 0 : 1;
        foreach (long extent in shape)
        {
            count = count == 0 ? 0 : count * extent;
            if (extent > int.MaxValue || count > Array.MaxLength)
            {
                throw new FileFormatException(
                    name, 8, $"at most {Array.MaxLength} elements", $"the shape ({string.Join(", ", shape)})");
            }
        }

        return new NumpyHeader(type, fortran, Array.ConvertAll(shape, extent => (int)extent), offset) { Count = (int)count };
    }

    /// <summary>Writes a header of version 1, so that the elements begin at a multiple of 64 bytes.</summary>
    public static void Write(Stream stream, string descr, ReadOnlySpan<int> shape)
    {
        string extents = string.Join(", ", shape.ToArray().Select(extent => extent.ToString(CultureInfo.InvariantCulture)));
        string text = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({extents}{(shape.Length == 1 ? "," : "")}), }}";
        int length = text.Length + 1, all = (10 + length + Alignment - 1) / Alignment * Alignment;
        var bytes = new byte[all];
        bytes.AsSpan().Fill((byte)' ');
        Magic.CopyTo(bytes, 0);
        (bytes[6], bytes[7]) = (1, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), checked((ushort)(all - 10)));
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(10));
        bytes[^1] = (byte)'\n';
        stream.Write(bytes);
    }

    private static void Fill(Stream stream, Span<byte> bytes, string name, long offset, string expected)
    {
        int got = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (got < bytes.Length)
        {
            throw new FileFormatException(name, offset + got, expected, "the end of the file");
        }
    }
}
