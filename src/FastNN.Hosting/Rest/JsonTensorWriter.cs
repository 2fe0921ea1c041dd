using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace FastNN.Hosting.Rest;

/// <summary>
/// A tensor's elements as JSON, flat in row-major order; each float in as few digits as read back to it, and NaN and the
/// infinities, which JSON has no numbers for, as the strings NaN, Infinity and -Infinity.
/// </summary>
internal static class JsonTensorWriter
{
    /// <summary>Writes elements of a part of a tensor that begins and ends between elements.</summary>
    public static void Write(Utf8JsonWriter writer, TensorDataType type, ReadOnlySpan<byte> elements)
    {
        switch (type)
        {
            case TensorDataType.Bool: Write<byte, BoolFormat>(writer, elements); break;
            case TensorDataType.UInt8: Write<byte, IntegerFormat>(writer, elements); break;
            case TensorDataType.UInt16: Write<ushort, IntegerFormat>(writer, elements); break;
            case TensorDataType.UInt32: Write<uint, IntegerFormat>(writer, elements); break;
            case TensorDataType.UInt64: Write<ulong, IntegerFormat>(writer, elements); break;
            case TensorDataType.Int8: Write<sbyte, IntegerFormat>(writer, elements); break;
            case TensorDataType.Int16: Write<short, IntegerFormat>(writer, elements); break;
            case TensorDataType.Int32: Write<int, IntegerFormat>(writer, elements); break;
            case TensorDataType.Int64: Write<long, IntegerFormat>(writer, elements); break;
            case TensorDataType.Float16: Write<Half, FloatFormat>(writer, elements); break;
            case TensorDataType.Float32: Write<float, FloatFormat>(writer, elements); break;
            case TensorDataType.Float64: Write<double, FloatFormat>(writer, elements); break;
            case TensorDataType.BFloat16: Write<ushort, FloatFormat>(writer, elements); break;
            default: WriteText(writer, elements); break;
        }
    }

    /// <summary>Whether all elements of a BYTES tensor are text, as JSON strings have to be.</summary>
    public static bool IsText(ReadOnlySpan<byte> elements)
    {
        while (elements.Length != 0)
        {
            if (!Utf8.IsValid(TakeElement(ref elements)))
            {
                return false;
            }
        }

        return true;
    }

    private static void WriteText(Utf8JsonWriter writer, ReadOnlySpan<byte> elements)
    {
        while (elements.Length != 0)
        {
            writer.WriteStringValue(TakeElement(ref elements));
        }
    }

    private static ReadOnlySpan<byte> TakeElement(ref ReadOnlySpan<byte> rest)
    {
        int length = (int)BinaryPrimitives.ReadUInt32LittleEndian(rest);
        ReadOnlySpan<byte> element = rest.Slice(sizeof(uint), length);
        rest = rest[(sizeof(uint) + length)..];
        return element;
    }

    private static void Write<T, TFormat>(Utf8JsonWriter writer, ReadOnlySpan<byte> elements)
        where T : unmanaged
        where TFormat : IFormat<T>
    {
        foreach (T element in MemoryMarshal.Cast<byte, T>(elements))
        {
            TFormat.Write(writer, element);
        }
    }

    private interface IFormat<T>
    {
        static abstract void Write(Utf8JsonWriter writer, T value);
    }

    private readonly struct BoolFormat : IFormat<byte>
    {
        public static void Write(Utf8JsonWriter writer, byte value) => writer.WriteBooleanValue(value != 0);
    }

    private readonly struct IntegerFormat :
        IFormat<byte>, IFormat<ushort>, IFormat<uint>, IFormat<ulong>, IFormat<sbyte>, IFormat<short>, IFormat<int>, IFormat<long>
    {
        public static void Write(Utf8JsonWriter writer, byte value) => writer.WriteNumberValue((uint)value);

        public static void Write(Utf8JsonWriter writer, ushort value) => writer.WriteNumberValue((uint)value);

        public static void Write(Utf8JsonWriter writer, uint value) => writer.WriteNumberValue(value);

        public static void Write(Utf8JsonWriter writer, ulong value) => writer.WriteNumberValue(value);

        public static void Write(Utf8JsonWriter writer, sbyte value) => writer.WriteNumberValue((int)value);

        public static void Write(Utf8JsonWriter writer, short value) => writer.WriteNumberValue((int)value);

        public static void Write(Utf8JsonWriter writer, int value) => writer.WriteNumberValue(value);

        public static void Write(Utf8JsonWriter writer, long value) => writer.WriteNumberValue(value);
    }

    private readonly struct FloatFormat : IFormat<Half>, IFormat<float>, IFormat<double>, IFormat<ushort>
    {
        public static void Write(Utf8JsonWriter writer, Half value) => Write(writer, (float)value);

        public static void Write(Utf8JsonWriter writer, float value)
        {
            if (float.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                Write(writer, (double)value);
            }
        }

        public static void Write(Utf8JsonWriter writer, double value)
        {
            if (double.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                writer.WriteStringValue(double.IsNaN(value) ? "NaN"u8 : value > 0 ? "Infinity"u8 : "-Infinity"u8);
            }
        }

        /// <summary>The upper half of a float.</summary>
        public static void Write(Utf8JsonWriter writer, ushort value) =>
            Write(writer, BitConverter.UInt32BitsToSingle((uint)value << 16));
    }
}
