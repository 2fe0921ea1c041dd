using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;

namespace FastNN.Formats;

/// <summary>
/// Writes images as PNG (ISO/IEC 15948): 8 bits a channel; gray, gray with alpha, RGB or RGBA. Each row has the filter that the
/// specification recommends, the one with the least sum of absolute differences, and zlib compresses at its best level. The same
/// pixels give the same bytes with one version of .NET.
/// </summary>
public static class PngWriter
{
    private const int Filters = 5;
    private const int MaxBytes = 1 << 30;

    private static readonly uint[] CrcTable = MakeCrcTable();

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Writes a file, which appears whole or not at all.</summary>
    /// <param name="path">The file, replaced if it is there.</param>
    /// <param name="pixels">Bytes from 0 to 255, [height, width, channels] flattened: rows from the top, pixels from the
    /// left.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="channels">1 for gray, 2 for gray and alpha, 3 for RGB, 4 for RGBA (alpha: 255 is opaque).</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive, there are other than 1 to 4 channels, or the image
    /// has more than 1 GiB.</exception>
    /// <exception cref="ArgumentException">The number of bytes is not that of the sizes.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, ReadOnlySpan<byte> pixels, int width, int height, int channels)
    {
        byte[] file = Encode(pixels, width, height, channels);
        AtomicFile.Write(path, stream => stream.Write(file));
    }

    /// <summary>The bytes of the file.</summary>
    /// <param name="pixels">Bytes from 0 to 255, [height, width, channels] flattened.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="channels">1 for gray, 2 for gray and alpha, 3 for RGB, 4 for RGBA.</param>
    /// <returns>The file.</returns>
    /// <exception cref="ArgumentOutOfRangeException">As for <see cref="Save"/>.</exception>
    /// <exception cref="ArgumentException">The number of bytes is not that of the sizes.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int width, int height, int channels)
    {
        Check(pixels.Length, width, height, channels);
        using var file = new MemoryStream();
        file.Write(Signature);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = 8;
        header[9] = channels switch { 1 => 0, 2 => 4, 3 => 2, _ => 6 };

        // Compression, filters and order of rows are the only ones that PNG has, or without interlacing.
        header[10..].Clear();
        WriteChunk(file, "IHDR"u8, header);
        using (var compressed = new MemoryStream())
        {
            using (var zlib = new ZLibStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
            {
                WriteRows(zlib, pixels, width * channels, channels);
            }

            WriteChunk(file, "IDAT"u8, compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
        }

        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    /// <summary>The size of a PNG file's image, and its channels as TensorBoard counts them.</summary>
    /// <exception cref="ArgumentException">The bytes do not begin as a PNG file does.</exception>
    internal static (int Width, int Height, int Channels) SizeOf(ReadOnlySpan<byte> file)
    {
        const int TypeAt = 12, WidthAt = 16, HeightAt = 20, ColorAt = 25;
        if (file.Length <= ColorAt || !file.StartsWith(Signature) || !file[TypeAt..].StartsWith("IHDR"u8))
        {
            throw new ArgumentException(
                $"expected a PNG file, got {file.Length} bytes that do not begin with its signature and header", nameof(file));
        }

        // Gray, RGB, a palette (of RGB), gray with alpha, RGBA.
        int channels = file[ColorAt] switch { 0 => 1, 4 => 2, 6 => 4, _ => 3 };
        int width = BinaryPrimitives.ReadInt32BigEndian(file[WidthAt..]);
        return (width, BinaryPrimitives.ReadInt32BigEndian(file[HeightAt..]), channels);
    }

    internal static void Check(int length, int width, int height, int channels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (channels is < 1 or > 4)
        {
            throw new ArgumentOutOfRangeException(
                nameof(channels), string.Create(
                    CultureInfo.InvariantCulture,
                    $"PNG: expected 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA) channels, got {channels}."));
        }

        Int128 bytes = (Int128)width * height * channels;
        if (bytes + height > MaxBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(height), string.Create(
                    CultureInfo.InvariantCulture,
                    $"PNG: expected an image of at most {MaxBytes} bytes, {width}x{height} pixels of {channels} channels are more."));
        }

        if (length != bytes)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"PNG: expected {bytes} bytes for {width}x{height} pixels of {channels} channels, got {length}."), nameof(length));
        }
    }

    private static void WriteRows(Stream stream, ReadOnlySpan<byte> pixels, int rowBytes, int channels)
    {
        var candidates = new byte[Filters][];
        for (int filter = 0; filter < Filters; filter++)
        {
            candidates[filter] = new byte[1 + rowBytes];
            candidates[filter][0] = (byte)filter;
        }

        ReadOnlySpan<byte> above = new byte[rowBytes];
        for (int at = 0; at < pixels.Length; at += rowBytes)
        {
            ReadOnlySpan<byte> row = pixels.Slice(at, rowBytes);
            int best = 0;
            long least = long.MaxValue;
            for (int filter = 0; filter < Filters; filter++)
            {
                long sum = Filter(filter, row, above, channels, candidates[filter].AsSpan(1));
                if (sum < least)
                {
                    (best, least) = (filter, sum);
                }
            }

            stream.Write(candidates[best]);
            above = row;
        }
    }

    /// <summary>The row as differences from what a filter foretells of it.</summary>
    /// <returns>The sum of their absolute values, taken as numbers from -128 to 127.</returns>
    private static long Filter(int filter, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int step, Span<byte> differences)
    {
        long sum = 0;
        for (int i = 0; i < row.Length; i++)
        {
            int left = i >= step ? row[i - step] : 0, up = above[i];
            int foretold = filter switch
            {
                0 => 0,
                1 => left,
                2 => up,
                3 => (left + up) / 2,
                _ => Paeth(left, up, i >= step ? above[i - step] : 0),
            };
            byte difference = (byte)(row[i] - foretold);
            differences[i] = difference;
            sum += Math.Abs((int)(sbyte)difference);
        }

        return sum;
    }

    private static int Paeth(int left, int up, int corner)
    {
        int estimate = left + up - corner;
        int toLeft = Math.Abs(estimate - left), toUp = Math.Abs(estimate - up), toCorner = Math.Abs(estimate - corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }

    private static void WriteChunk(MemoryStream stream, ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        stream.Write(number);
        stream.Write(type);
        stream.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(Crc(uint.MaxValue, type), content));
        stream.Write(number);
    }

    // System.IO.Hashing has it, which would be the library's second dependency.
    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            crc = CrcTable[(byte)crc ^ b] ^ (crc >> 8);
        }

        return crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
            }

            table[i] = crc;
        }

        return table;
    }
}
