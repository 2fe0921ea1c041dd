using System.Buffers.Text;
using System.IO.Compression;

namespace FastNN.Cuda;

/// <summary>
/// PTX as kernels/PackKernels.cs packs it: Brotli's stream of a text in which the number of a register (<c>%r12</c>) is the
/// difference to the number before of the same letters, and that of a label (<c>$L__BB3_12</c>) the difference to the label
/// before.
/// </summary>
internal static class PackedPtx
{
    private const int MaxLetters = 4, LabelKind = -1;

    private static ReadOnlySpan<byte> LabelPrefix => "$L__BB"u8;

    /// <summary>The text, without a terminating zero.</summary>
    /// <exception cref="InvalidDataException">The stream is none of Brotli's.</exception>
    public static byte[] Unpack(Stream packed)
    {
        using var relative = new MemoryStream();
        using (var brotli = new BrotliStream(packed, CompressionMode.Decompress))
        {
            brotli.CopyTo(relative);
        }

        return MakeAbsolute(relative.GetBuffer().AsSpan(0, (int)relative.Length));
    }

    private static byte[] MakeAbsolute(ReadOnlySpan<byte> relative)
    {
        // Absolute numbers have more digits, a tenth of the text on average.
        using var text = new MemoryStream(relative.Length + (relative.Length / 4));
        var last = new Dictionary<int, int>();
        Span<byte> digits = stackalloc byte[11];
        while (NextMark(relative) is var mark and >= 0)
        {
            int prefix = PrefixLength(relative[mark..], out int kind);
            text.Write(relative[..(mark + prefix)]);
            relative = relative[(mark + prefix)..];
            if (kind != 0 && Utf8Parser.TryParse(relative, out int difference, out int length))
            {
                int number = last[kind] = last.GetValueOrDefault(kind) + difference;
                Utf8Formatter.TryFormat(number, digits, out int written);
                text.Write(digits[..written]);
                relative = relative[length..];
            }
        }

        text.Write(relative);
        return text.ToArray();
    }

    private static int NextMark(ReadOnlySpan<byte> text) => text.IndexOfAny((byte)'%', (byte)'$');

    /// <summary>How much of the text stands before the number, and whose number it is: 0 for none.</summary>
    private static int PrefixLength(ReadOnlySpan<byte> text, out int kind)
    {
        kind = 0;
        if (text.StartsWith(LabelPrefix))
        {
            int function = text[LabelPrefix.Length..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            kind = LabelKind;
            return LabelPrefix.Length + function + 1;
        }

        int length = 1;
        while (length < text.Length && char.IsAsciiLetterLower((char)text[length]))
        {
            kind = (kind << 8) | text[length++];
        }

        if (text[0] == '$' || length - 1 > MaxLetters)
        {
            kind = 0;
        }

        return length;
    }
}
