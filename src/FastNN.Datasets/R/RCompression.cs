using System.Buffers.Binary;
using System.IO.Compression;
using SharpCompress.Compressors.BZip2;
using SharpCompress.Compressors.LZMA;
using SharpCompress.Compressors.Xz;

namespace FastNN.Data;

/// <summary>The compressions of R's files and of its databases of values that are loaded when they are used.</summary>
internal static class RCompression
{
    // The dictionary of xz at its highest preset; a decompressor reserves it before the first byte.
    private const int MaxDictionary = 1 << 26;

    // R compresses the values of a database with preset 6, whose dictionary has 8 MiB (22: 2 << (22 / 2 + 11)).
    private const byte DatabaseDictionary = 22;

    private const int XzHeader = 12;

    /// <summary>The content of a file, compressed or not.</summary>
    /// <exception cref="FileFormatException">It is damaged or too long.</exception>
    public static byte[] Decompress(byte[] file, string name)
    {
        ReadOnlySpan<byte> start = file;
        if (start.StartsWith<byte>([0x1F, 0x8B]))
        {
            byte[] content = Read(name, () => new GZipStream(new MemoryStream(file), CompressionMode.Decompress));

            // GZipStream does not miss a trailer that was cut off; it ends with the length of the content.
            return file.Length > 8 && BinaryPrimitives.ReadUInt32LittleEndian(start[^4..]) == (uint)content.Length
                ? content
                : throw new FileFormatException(
                    name, Math.Max(0, file.Length - 4), $"the length {content.Length} at the end of a gzip stream",
                    "another number");
        }

        if (start.StartsWith("BZh"u8))
        {
            return Read(name, () => BZip2Stream.Create(
                new MemoryStream(file), SharpCompress.Compressors.CompressionMode.Decompress, true, false, false));
        }

        if (start.StartsWith<byte>([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]))
        {
            CheckXz(file, name);
            return Read(name, () => new XZStream(new MemoryStream(file)));
        }

        return file;
    }

    /// <summary>
    /// The content of a value in a database: its length in four bytes, then either a zlib stream, or a byte that tells the
    /// compression and a stream of that.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="start">Where the value begins.</param>
    /// <param name="length">Its length.</param>
    /// <param name="compression">1 for zlib, 2 or 3 where a byte tells it.</param>
    /// <param name="name">What messages call the database.</param>
    /// <exception cref="FileFormatException">It is damaged.</exception>
    public static byte[] DecompressValue(byte[] database, int start, int length, int compression, string name)
    {
        int header = compression == 1 ? 4 : 5;
        if (length < header)
        {
            throw new FileFormatException(name, start, $"a value of at least {header} bytes", $"{length}");
        }

        int size = BinaryPrimitives.ReadInt32BigEndian(database.AsSpan(start));
        if (size is < 0 || size > RFile.MaxBytes)
        {
            throw new FileFormatException(name, start, $"a length of at most {RFile.MaxBytes}", $"{size}");
        }

        char kind = compression == 1 ? '1' : (char)database[start + 4];
        MemoryStream Body() => new(database, start + header, length - header);
        byte[] content = kind switch
        {
            '1' => Read(name, () => new ZLibStream(Body(), CompressionMode.Decompress), size),
            '2' => Read(name, () => BZip2Stream.Create(
                Body(), SharpCompress.Compressors.CompressionMode.Decompress, true, false, false), size),
            'Z' => Read(name, () => LzmaStream.Create(
                [DatabaseDictionary], Body(), length - header, size, null, isLzma2: true, leaveOpen: false), size),
            '0' => Body().ToArray(),
            _ => throw new FileFormatException(name, start + 4, "a compression of '0', '1', '2' or 'Z'", $"{(int)kind}"),
        };
        if (kind == '1' && (length < header + 4
            || BinaryPrimitives.ReadUInt32BigEndian(database.AsSpan(start + length - 4)) != Adler32(content)))
        {
            throw new FileFormatException(name, start + length - 4, "the checksum of a zlib stream", "another number");
        }

        return content.Length == size
            ? content
            : throw new FileFormatException(name, start, $"{size} bytes of content", $"{content.Length}");
    }

    /// <summary>
    /// The checksum at the end of a zlib stream (RFC 1950), which ZLibStream does not miss where it was cut off.
    /// </summary>
    private static uint Adler32(ReadOnlySpan<byte> content)
    {
        uint a = 1, b = 0;
        foreach (byte value in content)
        {
            a = (a + value) % 65_521;
            b = (b + a) % 65_521;
        }

        return (b << 16) | a;
    }

    // Content of one block, as xz without threads and R itself write it: its header is then the only one that reserves memory.
    private static void CheckXz(byte[] file, string name)
    {
        const int footer = 12, record = 3;
        if (file.Length < XzHeader + record + footer)
        {
            throw new FileFormatException(name, file.Length, "an xz stream", "the end of the file");
        }

        long index = 4 * (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(file.Length - 8)) + 1L);
        long at = file.Length - footer - index;
        if (at < XzHeader || file[at] != 0 || file[at + 1] != 1)
        {
            throw new FileFormatException(name, Math.Max(at, 0), "the index of an xz stream of one block", "another one");
        }

        // Header size, flags, two optional lengths, then one filter: its number, the size of its properties, the dictionary.
        int flags = file[XzHeader + 1], filter = XzHeader + 2;
        for (int lengths = (flags >> 6 & 1) + (flags >> 7); lengths > 0 && filter < file.Length - 3; lengths--)
        {
            while (file[filter] >= 0x80 && filter < file.Length - 3)
            {
                filter++;
            }

            filter++;
        }

        bool plain = (flags & 3) == 0 && filter < file.Length - 3 && file[filter] == 0x21 && file[filter + 1] == 1;
        int dictionary = plain ? file[filter + 2] : 0;
        if (!plain || dictionary > 40 || (2L | (uint)(dictionary & 1)) << ((dictionary / 2) + 11) > MaxDictionary)
        {
            throw new FileFormatException(
                name, XzHeader, $"LZMA2 with a dictionary of at most {MaxDictionary} bytes",
                $"flags {flags}, dictionary {dictionary}");
        }
    }

    private static byte[] Read(string name, Func<Stream> open, long maxBytes = RFile.MaxBytes)
    {
        try
        {
            using Stream stream = open();
            return BoundedContent.Read(stream, name, maxBytes);
        }
        catch (Exception e) when (e is not (FileFormatException or OutOfMemoryException))
        {
            // The decompressors of SharpCompress answer damaged content with exceptions of many types.
            throw new FileFormatException(name, 0, "an intact compressed stream", e.Message, e);
        }
    }
}
