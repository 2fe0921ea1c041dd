using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace FastNN.Tests.Formats;

/// <summary>
/// Decodes PNG of 8 bits a channel and without a palette, and fails at anything that the specification does not allow. Checksums
/// are computed bit by bit.
/// </summary>
internal sealed class PngReader
{
    private PngReader(int width, int height, int channels)
    {
        (Width, Height, Channels) = (width, height, channels);
        (Pixels, Filters) = (new byte[width * height * channels], new int[height]);
    }

    public int Width { get; }

    public int Height { get; }

    public int Channels { get; }

    public byte[] Pixels { get; }

    /// <summary>The filter of each row.</summary>
    public int[] Filters { get; }

    public static PngReader Read(ReadOnlySpan<byte> file)
    {
        Require(file[..8].SequenceEqual((byte[])[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]), "the signature");
        file = file[8..];
        PngReader? image = null;
        using var data = new MemoryStream();
        while (true)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file);
            ReadOnlySpan<byte> content = file.Slice(8, length);
            string type = Encoding.ASCII.GetString(file.Slice(4, 4));
            uint crc = BinaryPrimitives.ReadUInt32BigEndian(file[(8 + length)..]);
            Require(crc == Crc(file.Slice(4, 4 + length)), $"the checksum of {type}");
            file = file[(12 + length)..];
            switch (type)
            {
                case "IHDR":
                    Require(image is null && length == 13 && content[8] == 8, "a header of 8 bits");
                    Require(content[10..].SequenceEqual((byte[])[0, 0, 0]), "no interlacing");
                    image = new PngReader(
                        BinaryPrimitives.ReadInt32BigEndian(content), BinaryPrimitives.ReadInt32BigEndian(content[4..]),
                        content[9] switch { 0 => 1, 2 => 3, 4 => 2, 6 => 4, _ => throw new InvalidDataException("color type") });
                    break;
                case "IDAT":
                    data.Write(content);
                    break;
                case "IEND":
                    Require(length == 0 && file.IsEmpty && image is not null, "nothing behind the end");
                    image!.Unfilter(data);
                    return image;
                default:
                    throw new InvalidDataException(type);
            }
        }
    }

    private void Unfilter(MemoryStream data)
    {
        data.Position = 0;
        using var zlib = new ZLibStream(data, CompressionMode.Decompress);
        int rowBytes = Width * Channels;
        byte[] above = new byte[rowBytes], row = new byte[rowBytes];
        for (int y = 0; y < Height; y++)
        {
            Filters[y] = zlib.ReadByte();
            zlib.ReadExactly(row);
            for (int i = 0; i < rowBytes; i++)
            {
                int a = i < Channels ? 0 : row[i - Channels], b = above[i], c = i < Channels ? 0 : above[i - Channels];
                int p = a + b - c, pa = Math.Abs(p - a), pb = Math.Abs(p - b), pc = Math.Abs(p - c);
                int foretold = Filters[y] switch
                {
                    0 => 0,
                    1 => a,
                    2 => b,
                    3 => (a + b) >> 1,
                    4 when pa <= pb && pa <= pc => a,
                    4 when pb <= pc => b,
                    4 => c,
                    _ => throw new InvalidDataException("filter"),
                };
                row[i] = (byte)(row[i] + foretold);
            }

            row.CopyTo(Pixels, y * rowBytes);
            row.CopyTo(above, 0);
        }

        Require(zlib.ReadByte() < 0, "as many bytes as rows have");
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte b in bytes)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((((crc ^ ((uint)b >> bit)) & 1) != 0) ? 0xEDB88320u : 0);
            }
        }

        return ~crc;
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidDataException($"expected {what}");
        }
    }
}
