using System.Numerics;
using System.Text;

namespace FastNN.Hosting;

/// <summary>Writes the wire format of protocol buffers into memory that was measured for it.</summary>
internal ref struct WireWriter(Span<byte> memory)
{
    private readonly Span<byte> _memory = memory;
    private int _written;

    /// <summary>How many bytes were written.</summary>
    public readonly int Written => _written;

    /// <summary>Bytes of a number.</summary>
    public static int SizeOf(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>Bytes of a field with one byte of tag, a length and as many bytes.</summary>
    public static long SizeOfField(long length) => 1 + SizeOf((ulong)length) + length;

    /// <summary>As <see cref="SizeOfField(long)"/>, and nothing for an empty field, which is not written.</summary>
    public static long SizeOfText(int length) => length == 0 ? 0 : SizeOfField(length);

    /// <summary>Writes a number.</summary>
    public void WriteVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _memory[_written++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _memory[_written++] = (byte)value;
    }

    /// <summary>Writes the tag and the length of a field whose bytes follow.</summary>
    public void WriteLength(int field, long length)
    {
        WriteVarint((uint)(field << 3) | (uint)WireType.Bytes);
        WriteVarint((ulong)length);
    }

    /// <summary>Writes what is encoded already.</summary>
    public void Write(ReadOnlySpan<byte> encoded)
    {
        encoded.CopyTo(_memory[_written..]);
        _written += encoded.Length;
    }

    /// <summary>Writes a field of bytes; nothing where there are none.</summary>
    public void WriteText(int field, ReadOnlySpan<byte> utf8)
    {
        if (!utf8.IsEmpty)
        {
            WriteLength(field, utf8.Length);
            Write(utf8);
        }
    }

    /// <summary>Writes a field of text; nothing where there is none.</summary>
    public void WriteText(int field, string text)
    {
        if (text.Length != 0)
        {
            WriteLength(field, Encoding.UTF8.GetByteCount(text));
            _written += Encoding.UTF8.GetBytes(text, _memory[_written..]);
        }
    }
}
