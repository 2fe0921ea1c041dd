using System.IO.Compression;
using System.Text;

namespace FastNN.Data;

/// <summary>
/// Takes known files out of a gzip-compressed tar (POSIX ustar), in one pass with one buffer. <c>System.Formats.Tar</c> reads
/// every kind of entry, and for extended headers reserves as many bytes as the archive claims they have; this reads plain files
/// alone and passes over all else.
/// </summary>
internal static class TarArchive
{
    private const int BlockBytes = 512;

    // Even an archive that goes on for ever ends here.
    private const long MaxBytes = 1L << 30;

    /// <summary>Copies the entries that are wanted.</summary>
    /// <param name="archive">The .tgz.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="choose">Where an entry of this name goes and the most bytes it may have; null to pass over it.</param>
    /// <exception cref="FileFormatException">The archive is damaged, or an entry is larger than it may be.</exception>
    public static void Extract(Stream archive, string name, Func<string, (string Path, long MaxBytes)?> choose)
    {
        using var gzip = new GZipStream(archive, CompressionMode.Decompress, leaveOpen: true);
        var content = new Content(gzip, name);
        var header = new byte[BlockBytes];
        while (content.TryReadBlock(header) && header.AsSpan().ContainsAnyExcept((byte)0))
        {
            CheckSum(header, content);
            long size = Octal(header.AsSpan(124, 12), "a size in octal digits", content);
            bool plain = header[156] is (byte)'0' or 0;
            string entry = NameOf(header);
            if (!plain || choose(entry) is not { } destination)
            {
                content.Copy(size, Stream.Null);
                continue;
            }

            if (size > destination.MaxBytes)
            {
                throw content.Fault($"{entry} of at most {destination.MaxBytes} bytes", $"{size}");
            }

            using FileStream file = File.Create(destination.Path);
            content.Copy(size, file);
        }
    }

    private static string NameOf(ReadOnlySpan<byte> header)
    {
        string name = Text(header[..100]);
        string prefix = header.Slice(257, 5).SequenceEqual("ustar"u8) ? Text(header.Slice(345, 155)) : "";
        return prefix.Length == 0 ? name : $"{prefix}/{name}";
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    // The sum of the header's bytes, with spaces in the place of the sum.
    private static void CheckSum(ReadOnlySpan<byte> header, Content content)
    {
        long declared = Octal(header.Slice(148, 8), "a checksum in octal digits", content);
        long sum = 8 * ' ';
        for (int i = 0; i < header.Length; i++)
        {
            sum += i is >= 148 and < 156 ? 0 : header[i];
        }

        if (sum != declared)
        {
            throw content.Fault($"a tar header with checksum {sum}", $"{declared}");
        }
    }

    private static long Octal(ReadOnlySpan<byte> field, string what, Content content)
    {
        ReadOnlySpan<byte> digits = field.Trim(" \0"u8);
        long value = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                throw content.Fault(what, $"byte 0x{digit:x2}");
            }

            value = (value * 8) + (digit - '0');
        }

        return value;
    }

    /// <summary>The decompressed bytes, counted.</summary>
    private sealed class Content(Stream stream, string name)
    {
        private readonly byte[] _buffer = new byte[1 << 16];
        private long _offset;

        public FileFormatException Fault(string expected, string got) => new(name, _offset, expected, got);

        /// <summary>Reads a header; false at the end of the archive.</summary>
        public bool TryReadBlock(Span<byte> block)
        {
            int got = Read(block);
            return got == block.Length || (got > 0 ? throw Fault("a whole tar header", "the end of the archive") : false);
        }

        /// <summary>Copies an entry, and goes past the bytes that fill up its last block.</summary>
        public void Copy(long size, Stream destination)
        {
            if (size > MaxBytes - _offset)
            {
                throw Fault($"at most {MaxBytes} bytes in the archive", $"an entry of {size} bytes");
            }

            for (long left = size; left > 0;)
            {
                Span<byte> piece = _buffer.AsSpan(0, (int)Math.Min(left, _buffer.Length));
                ReadExactly(piece);
                destination.Write(piece);
                left -= piece.Length;
            }

            ReadExactly(_buffer.AsSpan(0, (int)(-size & (BlockBytes - 1))));
        }

        private void ReadExactly(Span<byte> bytes)
        {
            if (Read(bytes) < bytes.Length)
            {
                throw Fault("a whole entry", "the end of the archive");
            }
        }

        private int Read(Span<byte> bytes)
        {
            try
            {
                int got = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
                _offset += got;
                return got;
            }
            catch (InvalidDataException e)
            {
                throw new FileFormatException(name, _offset, "an intact gzip stream", e.Message, e);
            }
        }
    }
}
