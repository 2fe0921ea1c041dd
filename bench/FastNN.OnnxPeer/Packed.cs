using FastNN.Onnx;

namespace FastNN.OnnxPeer;

/// <summary>Elements below a byte lie several in one byte in ONNX Runtime, the first in the lowest bits.</summary>
internal static class Packed
{
    public static void Write(OnnxTensor tensor, Span<byte> to)
    {
        int bits = tensor.ElementType.Bits();
        if (bits is 0 or >= 8)
        {
            tensor.Bytes().CopyTo(to);
            return;
        }

        to.Clear();
        Span<byte> from = tensor.Bytes();
        int each = 8 / bits;
        for (int i = 0; i < from.Length; i++)
        {
            to[i / each] |= (byte)((from[i] & ((1 << bits) - 1)) << (i % each * bits));
        }
    }

    public static void Read(ReadOnlySpan<byte> from, OnnxTensor tensor)
    {
        int bits = tensor.ElementType.Bits();
        Span<byte> to = tensor.Bytes();
        if (bits is 0 or >= 8)
        {
            from[..to.Length].CopyTo(to);
            return;
        }

        int each = 8 / bits;
        bool signed = tensor.ElementType is OnnxElementType.Int4 or OnnxElementType.Int2;
        for (int i = 0; i < to.Length; i++)
        {
            int value = (from[i / each] >> (i % each * bits)) & ((1 << bits) - 1);
            to[i] = (byte)(signed && value >> (bits - 1) != 0 ? value - (1 << bits) : value);
        }
    }
}
