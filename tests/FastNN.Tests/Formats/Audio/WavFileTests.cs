using System.Buffers.Binary;
using System.Text;
using FastNN.Formats;

namespace FastNN.Tests.Formats.Audio;

internal sealed class WavFileTests
{
    private const int Pcm = 1, Float = 3, Extensible = 0xFFFE;

    [Test]
    public void Samples_of_every_encoding_are_numbers_from_minus_one_to_one()
    {
        Check(Pcm, 8, [0, 128, 255], [-1, 0, 127 / 128f]);
        Check(Pcm, 16, [0, 0x80, 0, 0, 0xFF, 0x7F], [-1, 0, 32767 / 32768f]);
        Check(Pcm, 24, [0, 0, 0x80, 1, 0, 0, 0xFF, 0xFF, 0x7F], [-1, 1 / 8388608f, 8388607 / 8388608f]);
        Check(Pcm, 32, [0, 0, 0, 0x80, 0, 0, 0, 0x40], [-1, 0.5f]);
        Check(Float, 32, [.. BitConverter.GetBytes(0.1f), .. BitConverter.GetBytes(-2f)], [0.1f, -2]);
        Check(Float, 64, [.. BitConverter.GetBytes(0.1), .. BitConverter.GetBytes(-2.0)], [0.1f, -2]);

        static void Check(int tag, int bits, byte[] data, float[] expected)
        {
            foreach (byte[] format in (byte[][])[Format(tag, 1, bits), Extended(tag, 1, bits)])
            {
                WavFile file = WavFile.Parse(Riff(Chunk("fmt ", format), Chunk("data", data)), "x");
                Assert.That((file.SampleRate, file.Channels, file.BitsPerSample, file.IsFloat, file.Frames),
                    Is.EqualTo((8000, 1, bits, tag == Float, expected.Length)));
                Assert.That(file.ReadMono(), Is.EqualTo(expected));
            }
        }
    }

    [Test]
    public void Channels_of_a_frame_stand_together_and_mono_is_their_mean()
    {
        byte[] data = [.. new[] { 0.5f, 1, -1, 0 }.SelectMany(BitConverter.GetBytes)];
        WavFile file = WavFile.Parse(Riff(Chunk("fmt ", Format(Float, 2, 32)), Chunk("data", data)), "x");
        var second = new float[2];
        file.Read(1, second);
        Assert.That(second, Is.EqualTo(new[] { -1f, 0 }));
        Assert.That(file.ReadMono(), Is.EqualTo(new[] { 0.75f, -0.5f }));
        Assert.That(() => file.Read(1, new float[4]), Throws.ArgumentException);
        Assert.That(() => file.Read(0, new float[1]), Throws.ArgumentException);
        Assert.That(() => file.Read(-1, new float[2]), Throws.ArgumentException);
    }

    [Test]
    public void Other_chunks_are_passed_over_and_begin_at_even_places()
    {
        byte[] content = Riff(
            Chunk("LIST", [1, 2, 3]), Chunk("fmt ", Format(Pcm, 1, 8)), Chunk("fact", []), Chunk("data", [128, 192]),
            Chunk("tail", [1]));
        Assert.That(WavFile.Parse(content, "x").ReadMono(), Is.EqualTo(new[] { 0, 0.5f }));
        byte[] unpadded = Riff(Chunk("fmt ", Format(Pcm, 1, 8)), Chunk("data", [128, 128, 192])[..^1]);
        Assert.That(WavFile.Parse(unpadded, "x").Frames, Is.EqualTo(3), "the last byte that fills up may be left out");
    }

    [Test]
    public void What_is_written_comes_back()
    {
        float[] samples = [0, 0.5f, -1, 32767 / 32768f, 2, -3];
        using var stream = new MemoryStream();
        WavFile.Write(stream, samples, 22_050, channels: 2);
        WavFile file = WavFile.Parse(stream.ToArray(), "x");
        Assert.That((file.SampleRate, file.Channels, file.BitsPerSample, file.Frames), Is.EqualTo((22_050, 2, 16, 3)));
        var back = new float[6];
        file.Read(0, back);
        Assert.That(back, Is.EqualTo(new[] { 0, 0.5f, -1, 32767 / 32768f, 32767 / 32768f, -1 }), "beyond 1 is clipped");
        Assert.That(BinaryPrimitives.ReadInt32LittleEndian(stream.ToArray().AsSpan(4)), Is.EqualTo(stream.Length - 8));
        Assert.That(() => WavFile.Write(stream, samples, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => WavFile.Write(stream, samples, 8000, 4), Throws.ArgumentException);
    }

    [Test]
    public void Malformed_files_are_refused_at_their_fault()
    {
        byte[] format = Chunk("fmt ", Format(Pcm, 1, 16)), data = Chunk("data", [0, 0]);
        Refuses([], 0, "'RIFF'");
        Refuses(Encoding.ASCII.GetBytes("RIFX"), 0, "'RIFF'");
        Refuses(Encoding.ASCII.GetBytes("RIFF0000AVI "), 8, "'WAVE'");
        Refuses(Riff(), 12, "'fmt '");
        Refuses(Riff(format), 36, "'data'");
        Refuses(Riff(data), 12, "before 'data'");
        Refuses(Riff(format, data)[..^1], 40, "within the file");
        Refuses([.. Riff(format), 1, 2], 36, "8 bytes");
        Refuses(Riff(Chunk("fmt ", new byte[14])), 20, "16 bytes");
        Refuses(Riff(format, Chunk("data", [0, 0, 0])), 40, "whole frames");
        Refuses(Riff(Chunk("fmt ", Format(2, 1, 4)), data), 20, "PCM");
        Refuses(Riff(Chunk("fmt ", Format(Pcm, 1, 12)), data), 20, "PCM");
        Refuses(Riff(Chunk("fmt ", Format(Float, 1, 16)), data), 20, "floating point");
        Refuses(Riff(Chunk("fmt ", Format(Pcm, 0, 16)), data), 22, "channel");
        Refuses(Riff(Chunk("fmt ", Format(Pcm, 1, 16, rate: 0)), data), 24, "positive");
        Refuses(Riff(Chunk("fmt ", Format(Pcm, 1, 16, align: 4)), data), 32, "frames of 2 bytes");
        byte[] extended = Extended(Pcm, 1, 16);
        extended[^1] ^= 1;
        Refuses(Riff(Chunk("fmt ", extended), data), 20, "subtype");
        Refuses(Riff(Chunk("fmt ", Format(Extensible, 1, 16)), data), 20, "subtype");

        static void Refuses(byte[] content, long offset, string expected)
        {
            FileFormatException fault = Assert.Throws<FileFormatException>(() => WavFile.Parse(content, "x.wav"))!;
            Assert.That((fault.FilePath, fault.Offset), Is.EqualTo(("x.wav", offset)), fault.Message);
            Assert.That(fault.Message, Does.Contain(expected));
        }
    }

    [Test]
    public void Every_damaged_byte_gives_a_file_or_a_named_error()
    {
        byte[] whole = Riff(Chunk("fmt ", Extended(Pcm, 2, 16)), Chunk("data", new byte[8]));
        for (int i = 0; i < whole.Length; i++)
        {
            foreach (byte value in (byte[])[0, 1, 0x7F, 0xFF])
            {
                byte[] damaged = [.. whole];
                damaged[i] = value;
                try
                {
                    Assert.That(WavFile.Parse(damaged, "x").ReadMono(), Has.Length.LessThanOrEqualTo(8));
                }
                catch (FileFormatException)
                {
                }
            }

            try
            {
                WavFile.Parse(whole[..i], "x");
            }
            catch (FileFormatException)
            {
            }
        }
    }

    private static byte[] Riff(params byte[][] chunks)
    {
        byte[] body = [.. chunks.SelectMany(chunk => chunk)];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(4 + body.Length), .. "WAVE"u8, .. body];
    }

    private static byte[] Chunk(string id, byte[] content) =>
        [.. Encoding.ASCII.GetBytes(id), .. BitConverter.GetBytes(content.Length), .. content, .. new byte[content.Length % 2]];

    private static byte[] Format(int tag, int channels, int bits, int rate = 8000, int? align = null) =>
    [
        .. BitConverter.GetBytes((ushort)tag), .. BitConverter.GetBytes((ushort)channels), .. BitConverter.GetBytes(rate),
        .. BitConverter.GetBytes(rate * channels * bits / 8), .. BitConverter.GetBytes((ushort)(align ?? channels * bits / 8)),
        .. BitConverter.GetBytes((ushort)bits),
    ];

    private static byte[] Extended(int tag, int channels, int bits) =>
    [
        .. Format(Extensible, channels, bits), 22, 0, (byte)bits, 0, 0, 0, 0, 0, (byte)tag, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0,
        0xAA, 0, 0x38, 0x9B, 0x71,
    ];
}
