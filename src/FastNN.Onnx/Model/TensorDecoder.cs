using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Model;

/// <summary>
/// Makes tensors of what stands in files. The size that a file claims is held against the bytes that are there before anything
/// of that size is allocated.
/// </summary>
internal static class TensorDecoder
{
    /// <summary>Decodes a tensor.</summary>
    /// <param name="tensor">As it stands in the file.</param>
    /// <param name="external">Where the bytes of tensors outside the file are; null where there can be none.</param>
    /// <exception cref="FileFormatException">Type, extents and bytes do not belong together.</exception>
    public static OnnxTensor Decode(TensorDef tensor, ExternalData? external)
    {
        if (tensor.Value is { } value)
        {
            return value;
        }

        (int[] dims, int count) = Extents(tensor);
        if (tensor.Type == OnnxElementType.String)
        {
            return new OnnxTensor(tensor.Type, dims, Strings(tensor, count));
        }

        if (Bytes(tensor, count, external) is { } raw)
        {
            var result = OnnxTensor.Zeros(tensor.Type, dims);
            ReadRaw(raw, result, tensor.Type.Bits());
            return result;
        }

        return new OnnxTensor(tensor.Type, dims, Lists(tensor, tensor.Type, count));
    }

    /// <summary>As <see cref="Decode"/>, but elements that stand in the file as they stand in memory stay there until they are
    /// asked for, and the file has to stay open as long.</summary>
    /// <param name="tensor">As it stands in the file.</param>
    /// <param name="external">Where the bytes of tensors outside the file are; null where there can be none.</param>
    /// <exception cref="FileFormatException">Type, extents and bytes do not belong together.</exception>
    public static OnnxTensor Open(TensorDef tensor, ExternalData? external)
    {
        if (tensor.Value is not null || tensor.Type is OnnxElementType.String or OnnxElementType.Bool || tensor.Type.Bits() < 8
            || !BitConverter.IsLittleEndian)
        {
            return Decode(tensor, external);
        }

        (int[] dims, int count) = Extents(tensor);
        return Bytes(tensor, count, external) is { } raw
            ? new OnnxTensor(tensor.Type, dims, new StoredElements(tensor.Type, count, raw))
            : Decode(tensor, external);
    }

    /// <summary>Fails where <see cref="Decode"/> would, without copying what can be judged by its length.</summary>
    /// <param name="tensor">As it stands in the file.</param>
    /// <param name="external">Where the bytes of tensors outside the file are; null where there can be none.</param>
    /// <exception cref="FileFormatException">Type, extents and bytes do not belong together.</exception>
    public static void Check(TensorDef tensor, ExternalData? external)
    {
        if (tensor.Type == OnnxElementType.String || (tensor.Raw is null && tensor.External is null))
        {
            _ = Decode(tensor, external);
            return;
        }

        (_, int count) = Extents(tensor);
        _ = Bytes(tensor, count, external);
    }

    private static (int[] Dims, int Count) Extents(TensorDef tensor)
    {
        int[] dims = Dims(tensor);
        OnnxElementType type = tensor.Type;
        if (type.Bits() == 0 && type != OnnxElementType.String)
        {
            throw Error(tensor, "a tensor with an element type of the standard", type.Name());
        }

        if (type is OnnxElementType.Complex64 or OnnxElementType.Complex128)
        {
            throw Error(tensor, "an element type other than complex numbers, which are not supported", type.Name());
        }

        return (dims, Count(tensor, dims));
    }

    /// <summary>The elements as bytes, as many as there must be; null where they stand in lists.</summary>
    private static ByteRange? Bytes(TensorDef tensor, int count, ExternalData? external)
    {
        ByteRange? bytes = tensor.External is null
            ? tensor.Raw
            : (external ?? throw Error(tensor, "a tensor whose elements are in the file", "external data")).Find(tensor);
        long expected = (((long)count * tensor.Type.Bits()) + 7) / 8;
        return bytes is not { } raw || raw.Length == expected
            ? bytes
            : throw Error(tensor, $"{expected} bytes for {Describe(tensor)}",
                string.Create(CultureInfo.InvariantCulture, $"{raw.Length}"));
    }

    /// <summary>The extents, each of which is an int.</summary>
    public static int[] Dims(TensorDef tensor)
    {
        var dims = new int[tensor.Dims.Count];
        for (int i = 0; i < dims.Length; i++)
        {
            long extent = tensor.Dims[i];
            dims[i] = extent is >= 0 and <= int.MaxValue
                ? (int)extent
                : throw Error(tensor, "extents from 0 to 2147483647", string.Create(CultureInfo.InvariantCulture, $"{extent}"));
        }

        return dims;
    }

    /// <summary>As in <c>FLOAT[2, 3]</c>, with the tensor's name.</summary>
    public static string Describe(TensorDef tensor) =>
        $"tensor '{tensor.Name}' of {tensor.Type.Name()}[{string.Join(", ", tensor.Dims)}]";

    public static FileFormatException Error(TensorDef tensor, string expected, string got) =>
        new(tensor.Content.Name, tensor.Offset, $"{expected} (tensor '{tensor.Name}')", got);

    private static int Count(TensorDef tensor, int[] dims)
    {
        try
        {
            return OnnxTensor.CountOf(dims);
        }
        catch (OverflowException)
        {
            throw Error(tensor, $"at most {Array.MaxLength} elements", $"the extents [{string.Join(", ", tensor.Dims)}]");
        }
    }

    private static void ReadRaw(ByteRange raw, OnnxTensor result, int bits)
    {
        if (bits < 8)
        {
            Unpack(raw.Content.Slice(raw.Offset, (int)raw.Length), result, bits);
            return;
        }

        Span<byte> bytes = result.Bytes();
        raw.Content.Slice(raw.Offset, (int)raw.Length).CopyTo(bytes);
        if (result.ElementType == OnnxElementType.Bool)
        {
            // Any byte but 0 is true; C# knows 1 alone.
            foreach (ref byte b in bytes)
            {
                b = b == 0 ? (byte)0 : (byte)1;
            }
        }

        if (!BitConverter.IsLittleEndian)
        {
            for (int i = 0, size = bits / 8; i < bytes.Length; i += size)
            {
                bytes.Slice(i, size).Reverse();
            }
        }
    }

    /// <summary>Elements below a byte, the first in the lowest bits.</summary>
    private static void Unpack(ReadOnlySpan<byte> packed, OnnxTensor result, int bits)
    {
        Span<byte> bytes = result.Bytes();
        int each = 8 / bits, mask = (1 << bits) - 1;
        bool signed = result.ElementType is OnnxElementType.Int4 or OnnxElementType.Int2;
        for (int i = 0; i < bytes.Length; i++)
        {
            int value = (packed[i / each] >> (i % each * bits)) & mask;
            bytes[i] = (byte)(signed && value >> (bits - 1) != 0 ? value - mask - 1 : value);
        }
    }

    private static string[] Strings(TensorDef tensor, int count)
    {
        if (tensor.Lists.Count != count || tensor.Lists.Exists(list => list.Field != 6))
        {
            throw Error(tensor, $"{count} strings", $"{tensor.Lists.Count}");
        }

        var strings = new string[count];
        for (int i = 0; i < count; i++)
        {
            ByteRange range = tensor.Lists[i].Range;
            strings[i] = range.Length <= Array.MaxLength
                ? Encoding.UTF8.GetString(range.Content.Slice(range.Offset, (int)range.Length))
                : throw Error(tensor, "strings under 2 GiB", $"{range.Length} bytes");
        }

        return strings;
    }

    private static Array Lists(TensorDef tensor, OnnxElementType type, int count)
    {
        int field = type switch
        {
            OnnxElementType.Float32 => 4,
            OnnxElementType.Float64 => 10,
            OnnxElementType.Int64 => 7,
            OnnxElementType.UInt32 or OnnxElementType.UInt64 => 11,
            _ => 5,
        };
        long available = 0;
        foreach ((int listed, ByteRange range) in tensor.Lists)
        {
            if (listed != field)
            {
                throw Error(tensor, $"elements of {type.Name()} in field {field}", $"some in field {listed}");
            }

            available += range.Length;
        }

        // An element takes a byte at least (4 or 8 of the floats), those below a byte are packed.
        int bits = type.Bits(), each = bits < 8 ? 8 / bits : 1;
        long entries = ((long)count + each - 1) / each, size = field == 4 ? 4 : field == 10 ? 8 : 1;
        if (available < entries * size)
        {
            throw Error(tensor, $"{count} elements", string.Create(CultureInfo.InvariantCulture, $"{available} bytes"));
        }

        if (field is 4 or 10)
        {
            return Floats(tensor, field, count, available);
        }

        var numbers = new long[entries];
        int found = 0;
        foreach ((_, ByteRange range) in tensor.Lists)
        {
            WireReader reader = WireReader.Of(range);
            while (reader.TryVarint(out long value))
            {
                if (found == entries)
                {
                    throw Error(tensor, $"{entries} numbers for {count} elements", "more");
                }

                numbers[found++] = value;
            }
        }

        return found == entries ? Narrow(numbers, type, count)
            : throw Error(tensor, $"{entries} numbers for {count} elements", $"{found}");
    }

    private static Array Floats(TensorDef tensor, int field, int count, long available)
    {
        int size = field == 4 ? 4 : 8;
        if (available != (long)count * size)
        {
            throw Error(tensor, $"{(long)count * size} bytes for {count} elements", $"{available}");
        }

        Array array = field == 4 ? new float[count] : new double[count];
        Span<byte> bytes = field == 4
            ? MemoryMarshal.AsBytes(((float[])array).AsSpan())
            : MemoryMarshal.AsBytes(((double[])array).AsSpan());
        int place = 0;
        foreach ((_, ByteRange range) in tensor.Lists)
        {
            range.Content.Slice(range.Offset, (int)range.Length).CopyTo(bytes[place..]);
            place += (int)range.Length;
        }

        if (!BitConverter.IsLittleEndian)
        {
            for (int i = 0; i < bytes.Length; i += size)
            {
                bytes.Slice(i, size).Reverse();
            }
        }

        return array;
    }

    // Numbers beyond the type are cut, as the official implementations do.
    private static Array Narrow(long[] numbers, OnnxElementType type, int count)
    {
        switch (type)
        {
            case OnnxElementType.Int64:
                return numbers;
            case OnnxElementType.UInt64:
                return Array.ConvertAll(numbers, n => (ulong)n);
            case OnnxElementType.UInt32:
                return Array.ConvertAll(numbers, n => (uint)n);
            case OnnxElementType.Int32:
                return Array.ConvertAll(numbers, n => (int)n);
            case OnnxElementType.Int16:
                return Array.ConvertAll(numbers, n => (short)n);
            case OnnxElementType.UInt16 or OnnxElementType.BFloat16:
                return Array.ConvertAll(numbers, n => (ushort)n);
            case OnnxElementType.Float16:
                return Array.ConvertAll(numbers, n => BitConverter.UInt16BitsToHalf((ushort)n));
            case OnnxElementType.Bool:
                return Array.ConvertAll(numbers, n => n != 0);
            case OnnxElementType.Int8:
                return Array.ConvertAll(numbers, n => (sbyte)n);
        }

        byte[] bytes = Array.ConvertAll(numbers, n => (byte)n);
        if (type.Bits() == 8)
        {
            return bytes;
        }

        var result = OnnxTensor.Zeros(type, [count]);
        Unpack(bytes, result, type.Bits());
        return result.Data;
    }
}
