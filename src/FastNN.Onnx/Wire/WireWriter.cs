using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace FastNN.Onnx.Wire;

/// <summary>
/// Writes protobuf's wire format. A message within another is written into a writer of its own first, since its length stands in
/// front of it.
/// </summary>
internal sealed class WireWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ReadOnlyMemory<byte> Written => _bytes.WrittenMemory;

    public void Int64(int field, long value)
    {
        Tag(field, WireType.Varint);
        Varint((ulong)value);
    }

    public void Single(int field, float value)
    {
        Tag(field, WireType.Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(_bytes.GetSpan(4), value);
        _bytes.Advance(4);
    }

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, WireType.Bytes);
        Varint((ulong)value.Length);
        _bytes.Write(value);
    }

    /// <summary>Text in UTF-8; an empty one is left out, as it is the default.</summary>
    public void Text(int field, string value)
    {
        if (value.Length > 0)
        {
            Bytes(field, Encoding.UTF8.GetBytes(value));
        }
    }

    /// <summary>A list of integers, packed.</summary>
    public void Packed(int field, IReadOnlyCollection<long> values)
    {
        if (values.Count == 0)
        {
            return;
        }

        var inner = new WireWriter();
        foreach (long value in values)
        {
            inner.Varint((ulong)value);
        }

        Bytes(field, inner.Written.Span);
    }

    public void Message(int field, Action<WireWriter> write)
    {
        var inner = new WireWriter();
        write(inner);
        Bytes(field, inner.Written.Span);
    }

    private void Tag(int field, WireType type) => Varint(((ulong)field << 3) | (uint)type);

    private void Varint(ulong value)
    {
        Span<byte> span = _bytes.GetSpan(10);
        int count = 0;
        while (value >= 0x80)
        {
            span[count++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[count++] = (byte)value;
        _bytes.Advance(count);
    }
}
