using System.Buffers.Binary;
using System.Text;

namespace FastNN.Formats;

/// <summary>How a field of protobuf's wire format is written.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    GroupStart = 3,
    GroupEnd = 4,
    Fixed32 = 5,
}

/// <summary>
/// Writes protobuf's wire format. The length of a message within another stands in front of it and is known at its end: one byte
/// is kept for it, and the message moves where that is too few.
/// </summary>
internal sealed class WireWriter
{
    private byte[] _bytes = new byte[256];
    private int _count;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _count);

    /// <summary>Begins anew, in the same memory.</summary>
    public void Clear() => _count = 0;

    public void Int64(int field, long value)
    {
        Tag(field, WireType.Varint);
        Varint((ulong)value);
    }

    public void Single(int field, float value)
    {
        Tag(field, WireType.Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(Take(4), value);
    }

    public void Double(int field, double value)
    {
        Tag(field, WireType.Fixed64);
        BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);
    }

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, WireType.Bytes);
        Varint((ulong)value.Length);
        value.CopyTo(Take(value.Length));
    }

    /// <summary>Text in UTF-8; an empty one is left out, as it is the default.</summary>
    public void Text(int field, string value)
    {
        if (value.Length > 0)
        {
            Element(field, value);
        }
    }

    /// <summary>Text in UTF-8, written where it is empty too: one of a list, or the chosen one of several fields.</summary>
    public void Element(int field, string value)
    {
        int count = Encoding.UTF8.GetByteCount(value);
        Tag(field, WireType.Bytes);
        Varint((ulong)count);
        Encoding.UTF8.GetBytes(value, Take(count));
    }

    /// <summary>A list of integers, packed.</summary>
    public void Packed(int field, IReadOnlyCollection<long> values)
    {
        if (values.Count == 0)
        {
            return;
        }

        int start = Begin(field);
        foreach (long value in values)
        {
            Varint((ulong)value);
        }

        End(start);
    }

    /// <summary>A list of doubles, packed.</summary>
    public void Packed(int field, ReadOnlySpan<double> values)
    {
        if (values.IsEmpty)
        {
            return;
        }

        Tag(field, WireType.Bytes);
        Varint((ulong)values.Length * sizeof(double));
        foreach (double value in values)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(Take(sizeof(double)), value);
        }
    }

    public void Message(int field, Action<WireWriter> write)
    {
        int start = Begin(field);
        write(this);
        End(start);
    }

    /// <summary>Begins a message within this one.</summary>
    /// <returns>What <see cref="End"/> is to be given.</returns>
    public int Begin(int field)
    {
        Tag(field, WireType.Bytes);
        Take(1);
        return _count;
    }

    /// <summary>Ends the message that <see cref="Begin"/> began, the innermost of those that are open.</summary>
    public void End(int start)
    {
        ulong length = (ulong)(_count - start);
        int more = 0;
        for (ulong rest = length >> 7; rest != 0; rest >>= 7)
        {
            more++;
        }

        if (more > 0)
        {
            Take(more);
            _bytes.AsSpan(start, (int)length).CopyTo(_bytes.AsSpan(start + more));
        }

        Put(_bytes.AsSpan(start - 1), length);
    }

    private void Tag(int field, WireType type) => Varint(((ulong)field << 3) | (uint)type);

    private void Varint(ulong value)
    {
        Reserve(10);
        _count += Put(_bytes.AsSpan(_count), value);
    }

    private static int Put(Span<byte> span, ulong value)
    {
        int count = 0;
        while (value >= 0x80)
        {
            span[count++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[count++] = (byte)value;
        return count;
    }

    private Span<byte> Take(int count)
    {
        Reserve(count);
        Span<byte> taken = _bytes.AsSpan(_count, count);
        _count += count;
        return taken;
    }

    private void Reserve(int count)
    {
        if (count > _bytes.Length - _count)
        {
            long needed = (long)_count + count;
            if (needed > Array.MaxLength)
            {
                throw new InvalidOperationException(
                    $"expected a message of at most {Array.MaxLength} bytes, which readers of protobuf take, got {needed} or more");
            }

            Array.Resize(ref _bytes, (int)Math.Max(needed, Math.Min(2L * _bytes.Length, Array.MaxLength)));
        }
    }
}
