using System.Buffers;
using System.Buffers.Binary;
using FastNN.Hosting.Protocol;

namespace FastNN.Hosting;

/// <summary>
/// Elements that a request gives as typed contents: counted first, so that no memory is taken for elements that did not come,
/// then written where the model reads them.
/// </summary>
internal static class TypedContents
{
    private const int TensorContents = 5;
    private const int BytesContents = 8;

    private static readonly string[] s_fields =
    [
        "", "bool_contents", "int_contents", "int64_contents", "uint_contents", "uint64_contents", "fp32_contents",
        "fp64_contents",
        "bytes_contents",
    ];

    /// <summary>Counts the elements of an input.</summary>
    /// <param name="tensor">The input's message.</param>
    /// <param name="input">What the model expects.</param>
    /// <returns>How many there are, and how many bytes they take in the model's memory.</returns>
    /// <exception cref="InferenceException">There are elements in a field of another type.</exception>
    public static (long Elements, long Bytes) Count(in ReadOnlySequence<byte> tensor, ModelTensor input)
    {
        int expected = Field(input.DataType);
        long elements = 0;
        long bytes = 0;
        var inputs = new WireReader(tensor);
        while (inputs.TryReadNext(TensorContents, out ReadOnlySequence<byte> contents))
        {
            var reader = new WireReader(contents);
            while (reader.TryReadTag(out int field, out WireType type))
            {
                if (field > BytesContents)
                {
                    reader.Skip(field, type);
                    continue;
                }

                if (type == WireType.Bytes && field != BytesContents)
                {
                    ReadOnlySequence<byte> packed = reader.ReadBytes();
                    if (packed.IsEmpty)
                    {
                        continue;
                    }

                    RequireField(field, expected, input);
                    elements += CountPacked(packed, field, input);
                }
                else
                {
                    RequireField(field, expected, input);
                    RequireType(type, field, input);
                    elements++;
                    if (type == WireType.Bytes)
                    {
                        bytes += sizeof(uint) + reader.ReadBytes().Length;
                    }
                    else
                    {
                        reader.Skip(field, type);
                    }
                }
            }
        }

        return (elements, input.DataType == TensorDataType.Bytes ? bytes : elements * TensorDataTypes.Size(input.DataType));
    }

    /// <summary>Writes the elements that <see cref="Count"/> counted.</summary>
    /// <param name="tensor">The input's message.</param>
    /// <param name="input">What the model expects.</param>
    /// <param name="destination">As many bytes as were counted.</param>
    /// <exception cref="InferenceException">A value is out of the type's range.</exception>
    public static void Fill(in ReadOnlySequence<byte> tensor, ModelTensor input, Span<byte> destination)
    {
        int expected = Field(input.DataType);
        var inputs = new WireReader(tensor);
        while (inputs.TryReadNext(TensorContents, out ReadOnlySequence<byte> contents))
        {
            var reader = new WireReader(contents);
            while (reader.TryReadTag(out int field, out WireType type))
            {
                if (field != expected)
                {
                    reader.Skip(field, type);
                }
                else if (type != WireType.Bytes)
                {
                    destination = destination[FillOne(ref reader, type, input, destination)..];
                }
                else if (field == BytesContents)
                {
                    ReadOnlySequence<byte> element = reader.ReadBytes();
                    BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)element.Length);
                    element.CopyTo(destination[sizeof(uint)..]);
                    destination = destination[(sizeof(uint) + (int)element.Length)..];
                }
                else
                {
                    destination = destination[FillPacked(reader.ReadBytes(), input, destination)..];
                }
            }
        }
    }

    /// <summary>The field that a type's elements stand in; 0 where there is none.</summary>
    private static int Field(TensorDataType type) => type switch
    {
        TensorDataType.Bool => 1,
        TensorDataType.Int8 or TensorDataType.Int16 or TensorDataType.Int32 => 2,
        TensorDataType.Int64 => 3,
        TensorDataType.UInt8 or TensorDataType.UInt16 or TensorDataType.UInt32 => 4,
        TensorDataType.UInt64 => 5,
        TensorDataType.Float32 => 6,
        TensorDataType.Float64 => 7,
        TensorDataType.Bytes => BytesContents,
        _ => 0,
    };

    /// <summary>How one element of a field is written.</summary>
    private static WireType ElementType(int field) => field switch
    {
        6 => WireType.Fixed32,
        7 => WireType.Fixed64,
        BytesContents => WireType.Bytes,
        _ => WireType.Varint,
    };

    private static void RequireField(int field, int expected, ModelTensor input)
    {
        if (field != expected)
        {
            string wanted = expected == 0 ? "raw_input_contents: the type has no typed contents" : s_fields[expected];
            throw new InferenceException(
                InferenceFailure.InvalidInput,
                $"expected the elements of input {Show.Name(input.Name)} ({TensorDataTypes.Name(input.DataType)}) in {wanted}, got {s_fields[field]}");
        }
    }

    private static void RequireType(WireType type, int field, ModelTensor input)
    {
        if (type != ElementType(field))
        {
            throw Damaged(input);
        }
    }

    private static InferenceException Damaged(ModelTensor input) => new(
        InferenceFailure.InvalidInput,
        $"the typed contents of input {Show.Name(input.Name)} are damaged: write them by the protocol's own definition");

    private static long CountPacked(in ReadOnlySequence<byte> packed, int field, ModelTensor input)
    {
        if (ElementType(field) != WireType.Varint)
        {
            int size = field == 6 ? sizeof(float) : sizeof(double);
            return packed.Length % size == 0 ? packed.Length / size : throw Damaged(input);
        }

        // Every number ends with the first byte below 128.
        long elements = 0;
        foreach (ReadOnlyMemory<byte> segment in packed)
        {
            foreach (byte next in segment.Span)
            {
                elements += next < 0x80 ? 1 : 0;
            }
        }

        return elements;
    }

    /// <returns>How many bytes were written.</returns>
    private static int FillPacked(in ReadOnlySequence<byte> packed, ModelTensor input, Span<byte> destination)
    {
        if (input.DataType is TensorDataType.Float32 or TensorDataType.Float64)
        {
            packed.CopyTo(destination);
            return (int)packed.Length;
        }

        int written = 0;
        var reader = new WireReader(packed);
        while (!reader.End)
        {
            written += FillOne(ref reader, WireType.Varint, input, destination[written..]);
        }

        return written;
    }

    /// <returns>How many bytes were written.</returns>
    private static int FillOne(ref WireReader reader, WireType type, ModelTensor input, Span<byte> destination)
    {
        int size = TensorDataTypes.Size(input.DataType);
        if (type != WireType.Varint)
        {
            reader.ReadFixed(destination[..size]);
            return size;
        }

        ulong value = reader.ReadVarint();
        switch (input.DataType)
        {
            case TensorDataType.Bool:
                destination[0] = value == 0 ? (byte)0 : (byte)1;
                break;
            case TensorDataType.Int8:
                destination[0] = (byte)InRange((int)value, sbyte.MinValue, sbyte.MaxValue, input);
                break;
            case TensorDataType.Int16:
                BinaryPrimitives.WriteInt16LittleEndian(
                    destination, (short)InRange((int)value, short.MinValue, short.MaxValue, input));
                break;
            case TensorDataType.UInt8:
                destination[0] = (byte)InRange((uint)value, byte.MinValue, byte.MaxValue, input);
                break;
            case TensorDataType.UInt16:
                BinaryPrimitives.WriteUInt16LittleEndian(
                    destination, (ushort)InRange((uint)value, ushort.MinValue, ushort.MaxValue, input));
                break;
            case TensorDataType.Int32 or TensorDataType.UInt32:
                BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)value);
                break;
            default:
                BinaryPrimitives.WriteUInt64LittleEndian(destination, value);
                break;
        }

        return size;
    }

    private static long InRange(long value, long least, long most, ModelTensor input) => value >= least && value <= most
        ? value
        : throw new InferenceException(
            InferenceFailure.InvalidInput,
            $"expected values {least}..{most} for input {Show.Name(input.Name)} ({TensorDataTypes.Name(input.DataType)}), got {value}");
}
