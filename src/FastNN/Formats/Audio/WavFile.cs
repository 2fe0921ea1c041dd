using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FastNN.Formats;

/// <summary>
/// Sound in a RIFF WAVE file (IBM and Microsoft, "Multimedia programming interface and data specifications 1.0", 1991): PCM of 8,
/// 16, 24 or 32 bits, or floating point of 32 or 64, plain or as WAVE_FORMAT_EXTENSIBLE. Samples stay encoded until they are
/// read, so that a long file costs no more memory than it has bytes.
/// </summary>
public sealed class WavFile
{
    private const int HeaderBytes = 12, ChunkHeaderBytes = 8, FormatBytes = 16, ExtensibleBytes = 40;
    private const int Pcm = 1, Float = 3, Extensible = 0xFFFE;

    private readonly byte[] _content;
    private readonly int _data;

    private WavFile(byte[] content, in Encoding encoding, int data, int bytes)
    {
        (_content, _data) = (content, data);
        (SampleRate, Channels, BitsPerSample, IsFloat) =
            (encoding.SampleRate, encoding.Channels, encoding.Bits, encoding.IsFloat);
        Frames = bytes / encoding.FrameBytes;
    }

    /// <summary>Frames per second.</summary>
    public int SampleRate { get; }

    /// <summary>Samples of a frame.</summary>
    public int Channels { get; }

    /// <summary>Bits of a sample in the file: 8, 16, 24, 32 or 64.</summary>
    public int BitsPerSample { get; }

    /// <summary>Whether samples are floating point in the file, and not integers.</summary>
    public bool IsFloat { get; }

    /// <summary>How many frames there are.</summary>
    public int Frames { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">A regular file of less than 2 GiB.</param>
    /// <exception cref="FileFormatException">It is malformed, or of an encoding that is not known.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static WavFile Open(string path)
    {
        using FileStream file = InputFile.OpenRead(path);
        if (file.Length > Array.MaxLength)
        {
            throw new FileFormatException(
                path, Array.MaxLength, $"at most {Array.MaxLength} bytes", file.Length.ToString(CultureInfo.InvariantCulture));
        }

        var content = new byte[file.Length];
        file.ReadExactly(content);
        return Parse(content, path);
    }

    /// <summary>Takes the content of a file.</summary>
    /// <param name="content">All of its bytes. They are kept, not copied.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="FileFormatException">It is malformed, or of an encoding that is not known.</exception>
    public static WavFile Parse(byte[] content, string name)
    {
        ArgumentNullException.ThrowIfNull(content);
        ReadOnlySpan<byte> bytes = content;
        Expect(bytes, 0, "RIFF"u8, name);
        Expect(bytes, 8, "WAVE"u8, name);
        Encoding? encoding = null;
        for (int at = HeaderBytes; at < bytes.Length;)
        {
            if (bytes.Length - at < ChunkHeaderBytes)
            {
                throw new FileFormatException(name, at, "a chunk of 8 bytes or more", Bytes(bytes.Length - at));
            }

            ReadOnlySpan<byte> id = bytes.Slice(at, 4);
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]);
            int begin = at + ChunkHeaderBytes;
            if (size > (uint)(bytes.Length - begin))
            {
                throw new FileFormatException(
                    name, at + 4, $"a chunk that ends within the file, of at most {Bytes(bytes.Length - begin)}", Bytes(size));
            }

            if (id.SequenceEqual("fmt "u8))
            {
                encoding = Encoding.Of(bytes.Slice(begin, (int)size), begin, name);
            }
            else if (id.SequenceEqual("data"u8))
            {
                Encoding known = encoding ?? throw new FileFormatException(name, at, "the chunk 'fmt ' before 'data'", "'data'");
                return size % known.FrameBytes == 0
                    ? new WavFile(content, known, begin, (int)size)
                    : throw new FileFormatException(
                        name, at + 4, $"data of whole frames of {Bytes(known.FrameBytes)}", Bytes(size));
            }

            // Chunks begin at even places.
            at = (int)Math.Min(bytes.Length, begin + (long)size + (size & 1));
        }

        throw new FileFormatException(name, bytes.Length, encoding is null ? "a chunk 'fmt '" : "a chunk 'data'", "the end");
    }

    /// <summary>Writes mono or interleaved samples as 16-bit PCM; what is beyond -1 and 1 is clipped.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="samples">From -1 to 1; the channels of a frame together.</param>
    /// <param name="sampleRate">Frames per second.</param>
    /// <param name="channels">Samples of a frame; default 1.</param>
    /// <exception cref="ArgumentException">A number is not positive, samples are no whole frames, or they are more than a file
    /// can hold.</exception>
    public static void Write(Stream stream, ReadOnlySpan<float> samples, int sampleRate, int channels = 1)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleRate);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, ushort.MaxValue / 2);
        const int most = (int.MaxValue - 64) / 2;
        if (samples.Length % channels != 0 || samples.Length > most)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"WavFile: expected whole frames of {channels} samples, {most} samples at most, got {samples.Length}."),
                nameof(samples));
        }

        WriteHeader(stream, samples.Length, sampleRate, channels);
        WriteSamples(stream, samples);
    }

    /// <summary>Writes what stands before so many samples.</summary>
    internal static void WriteHeader(Stream stream, int samples, int sampleRate, int channels = 1) =>
        stream.Write(Header(samples * 2, sampleRate, channels));

    /// <summary>Writes samples behind a header, or behind others.</summary>
    internal static void WriteSamples(Stream stream, ReadOnlySpan<float> samples)
    {
        Span<byte> buffer = new byte[1 << 14];
        while (!samples.IsEmpty)
        {
            int count = Math.Min(samples.Length, buffer.Length / 2);
            for (int i = 0; i < count; i++)
            {
                BinaryPrimitives.WriteInt16LittleEndian(buffer[(2 * i)..], ToInt16(samples[i]));
            }

            stream.Write(buffer[..(2 * count)]);
            samples = samples[count..];
        }
    }

    /// <summary>Reads samples as numbers from -1 to 1 (floating point as it stands), the channels of a frame together.</summary>
    /// <param name="frame">The first frame.</param>
    /// <param name="destination">Takes whole frames.</param>
    /// <exception cref="ArgumentException">There are not as many frames, or the destination does not hold whole ones.</exception>
    public void Read(int frame, Span<float> destination)
    {
        int count = destination.Length / Channels;
        if (frame < 0 || destination.Length % Channels != 0 || count > Frames - frame)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"WavFile: expected some of {Frames} frames of {Channels} samples, got {destination.Length} from frame {frame} on."));
        }

        int width = BitsPerSample / 8;
        ReadOnlySpan<byte> bytes = _content.AsSpan(_data + (frame * Channels * width), destination.Length * width);
        switch (width)
        {
            case 1:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = (bytes[i] - 128) / 128f;
                }

                break;
            case 2:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * i)..]) / 32768f;
                }

                break;
            case 3:
                for (int i = 0; i < destination.Length; i++)
                {
                    int high = (sbyte)bytes[(3 * i) + 2] << 16;
                    destination[i] = (high | bytes[3 * i] | (bytes[(3 * i) + 1] << 8)) / 8388608f;
                }

                break;
            case 4 when IsFloat:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]);
                }

                break;
            case 4:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]) / 2147483648f;
                }

                break;
            default:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..]);
                }

                break;
        }
    }

    /// <summary>All frames, each the mean of its channels.</summary>
    /// <returns>As many samples as there are <see cref="Frames"/>.</returns>
    public float[] ReadMono()
    {
        var mono = new float[Frames];
        if (Channels == 1)
        {
            Read(0, mono);
            return mono;
        }

        var frame = new float[Channels];
        for (int i = 0; i < mono.Length; i++)
        {
            Read(i, frame);
            mono[i] = System.Numerics.Tensors.TensorPrimitives.Sum<float>(frame) / Channels;
        }

        return mono;
    }

    private static byte[] Header(int dataBytes, int sampleRate, int channels)
    {
        var header = new byte[HeaderBytes + ChunkHeaderBytes + FormatBytes + ChunkHeaderBytes];
        Span<byte> to = header;
        "RIFF"u8.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], header.Length - ChunkHeaderBytes + dataBytes);
        "WAVEfmt "u8.CopyTo(to[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(to[16..], FormatBytes);
        BinaryPrimitives.WriteInt16LittleEndian(to[20..], Pcm);
        BinaryPrimitives.WriteUInt16LittleEndian(to[22..], (ushort)channels);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], sampleRate);
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], (uint)sampleRate * (uint)channels * 2);
        BinaryPrimitives.WriteUInt16LittleEndian(to[32..], (ushort)(channels * 2));
        BinaryPrimitives.WriteInt16LittleEndian(to[34..], 16);
        "data"u8.CopyTo(to[36..]);
        BinaryPrimitives.WriteInt32LittleEndian(to[40..], dataBytes);
        return header;
    }

    private static short ToInt16(float sample) =>
        (short)Math.Clamp(MathF.Round(sample * 32768), short.MinValue, short.MaxValue);

    private static void Expect(ReadOnlySpan<byte> bytes, int at, ReadOnlySpan<byte> expected, string name)
    {
        ReadOnlySpan<byte> rest = bytes[Math.Min(at, bytes.Length)..];
        if (!rest.StartsWith(expected))
        {
            string got = rest.Length < expected.Length ? $"the end after {Bytes(rest.Length)}" : $"'{Text(rest[..4])}'";
            throw new FileFormatException(name, at, $"'{Text(expected)}'", got);
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes) => System.Text.Encoding.Latin1.GetString(bytes);

    private static string Bytes(long count) => string.Create(CultureInfo.InvariantCulture, $"{count} bytes");

    /// <summary>What the chunk 'fmt ' says.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Encoding(int SampleRate, int Channels, int Bits, bool IsFloat)
    {
        // The tail that makes an identifier of a format (KSDATAFORMAT_SUBTYPE) of its number.
        private static ReadOnlySpan<byte> Subtype => [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

        public int FrameBytes => Channels * Bits / 8;

        public static Encoding Of(ReadOnlySpan<byte> chunk, int offset, string name)
        {
            if (chunk.Length < FormatBytes)
            {
                throw new FileFormatException(
                    name, offset, $"a chunk 'fmt ' of at least {FormatBytes} bytes", Bytes(chunk.Length));
            }

            int tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
            int channels = BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);
            uint rate = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            int align = BinaryPrimitives.ReadUInt16LittleEndian(chunk[12..]);
            int bits = BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]);
            if (tag == Extensible)
            {
                if (chunk.Length < ExtensibleBytes || !chunk.Slice(26, 14).SequenceEqual(Subtype))
                {
                    throw new FileFormatException(
                        name, offset, $"an extensible format of {ExtensibleBytes} bytes, its subtype PCM or float", "another");
                }

                tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk[24..]);
            }

            if (!(tag == Pcm && bits is 8 or 16 or 24 or 32) && !(tag == Float && bits is 32 or 64))
            {
                throw new FileFormatException(
                    name, offset, "PCM (1) of 8, 16, 24 or 32 bits, or floating point (3) of 32 or 64",
                    string.Create(CultureInfo.InvariantCulture, $"format {tag} of {bits} bits"));
            }

            if (channels == 0)
            {
                throw new FileFormatException(name, offset + 2, "a channel or more", "0");
            }

            if (rate is 0 or > int.MaxValue)
            {
                throw new FileFormatException(
                    name, offset + 4, "a positive number of frames per second", rate.ToString(CultureInfo.InvariantCulture));
            }

            return align == channels * bits / 8
                ? new Encoding((int)rate, channels, bits, tag == Float)
                : throw new FileFormatException(
                    name, offset + 12, $"frames of {Bytes(channels * bits / 8)}", Bytes(align));
        }
    }
}
