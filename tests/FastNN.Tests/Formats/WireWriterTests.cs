using System.Buffers.Binary;
using FastNN.Formats;

namespace FastNN.Tests.Formats;

public sealed class WireWriterTests
{
    [TestCase(0, 1)]
    [TestCase(127, 1)]
    [TestCase(128, 2)]
    [TestCase(16_383, 2)]
    [TestCase(16_384, 3)]
    [TestCase(2_097_152, 4)]
    public void The_length_in_front_of_a_message_has_as_few_bytes_as_it_can(int length, int expected)
    {
        // The message is a field of bytes: its tag, its length, and the content.
        int content = Enumerable.Range(1, 3).Select(bytes => length - 1 - bytes).FirstOrDefault(
            count => 1 + SizeOf(count) + count == length);
        var writer = new WireWriter();
        int outer = writer.Begin(1), inner = writer.Begin(2);
        if (length > 0)
        {
            writer.Bytes(3, new byte[content]);
        }

        writer.End(inner);
        writer.Int64(4, 5);
        writer.End(outer);
        ReadOnlySpan<byte> written = writer.Written.Span;
        int outerLength = ReadField(ref written, 1);
        Assert.That(outerLength, Is.EqualTo(written.Length));
        int start = written.Length, innerLength = ReadField(ref written, 2);
        Assert.That((innerLength, start - written.Length), Is.EqualTo((length, 1 + expected)));
        Assert.That(written[innerLength..].ToArray(), Is.EqualTo(new byte[] { 0x20, 5 }));
    }

    [Test]
    public void Fields_are_as_protobufs_specification_has_them()
    {
        var writer = new WireWriter();
        writer.Int64(1, 150);
        writer.Text(2, "testing");
        writer.Text(3, "");
        writer.Element(3, "");
        writer.Packed(4, (long[])[3, 270, 86_942]);
        writer.Packed(4, Array.Empty<long>());
        writer.Int64(5, -2);
        byte[] half = new byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(half, 0.5);
        writer.Double(16, 0.5);
        writer.Packed(6, [0.5]);
        Assert.That(writer.Written.ToArray(), Is.EqualTo((byte[])
        [
            0x08, 0x96, 0x01, 0x12, 0x07, .. "testing"u8, 0x1A, 0x00, 0x22, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05,
            0x28, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x81, 0x01, .. half, 0x32, 0x08, .. half,
        ]));
        writer.Clear();
        Assert.That(writer.Written.Length, Is.Zero);
    }

    private static int SizeOf(int count) => count < 0x80 ? 1 : count < 0x4000 ? 2 : 3;

    private static int ReadField(ref ReadOnlySpan<byte> bytes, int field)
    {
        Assert.That(bytes[0], Is.EqualTo((field << 3) | 2));
        int value = 0, at = 1;
        for (int shift = 0; ; shift += 7)
        {
            byte b = bytes[at++];
            value |= (b & 0x7F) << shift;
            if (b < 0x80)
            {
                bytes = bytes[at..];
                return value;
            }
        }
    }
}
