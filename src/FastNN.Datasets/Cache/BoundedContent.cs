namespace FastNN.Data;

/// <summary>Reads a stream into memory and refuses one that is longer than it may be.</summary>
internal static class BoundedContent
{
    private const int FirstBytes = 1 << 16;

    /// <summary>Reads to the end.</summary>
    /// <param name="stream">The stream, often one that decompresses.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="maxBytes">The most that it may have. Without a known length at most three times the content is allocated on
    /// the way, and never in proportion to this limit.</param>
    /// <param name="length">The length where it is known, else null.</param>
    /// <exception cref="FileFormatException">It is longer, or damaged.</exception>
    public static byte[] Read(Stream stream, string name, long maxBytes, long? length = null)
    {
        maxBytes = Math.Min(maxBytes, Array.MaxLength);
        if (length > maxBytes)
        {
            throw TooLong(name, maxBytes);
        }

        byte[] bytes = length is { } known ? new byte[known] : new byte[Math.Min(FirstBytes, maxBytes)];
        int count = 0;
        try
        {
            while (true)
            {
                count += stream.ReadAtLeast(bytes.AsSpan(count), bytes.Length - count, throwOnEndOfStream: false);
                if (count < bytes.Length)
                {
                    return bytes[..count];
                }

                if (stream.ReadByte() is var next && next < 0)
                {
                    return bytes;
                }

                if (count >= maxBytes)
                {
                    throw TooLong(name, maxBytes);
                }

                Array.Resize(ref bytes, (int)Math.Min(maxBytes, 2L * Math.Max(count, 1)));
                bytes[count++] = (byte)next;
            }
        }
        catch (InvalidDataException e)
        {
            throw new FileFormatException(name, count, "an intact compressed stream", e.Message, e);
        }
    }

    private static FileFormatException TooLong(string name, long maxBytes) =>
        new(name, maxBytes, $"at most {maxBytes} bytes of content", "more");
}
