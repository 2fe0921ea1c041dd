using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace FastNN.Hosting.Protocol;

/// <summary>
/// An output of scores as its highest classes, by Triton's classification extension: BYTES elements <c>value:index</c>, or
/// <c>value:index:name</c> where the output's classes have names, the highest first and NaN last; of equal ones the lower index
/// first.
/// </summary>
internal static class Classification
{
    /// <summary>How many classes each row is answered by: those asked for, or all where there are fewer.</summary>
    /// <param name="dimensions">The output's extents: one row where there is one extent or none, else a row for each of the
    /// first.</param>
    /// <param name="elements">How many elements the output has.</param>
    /// <param name="classes">How many are asked for.</param>
    public static (int Rows, int Classes) Extents(ReadOnlySpan<int> dimensions, int elements, int classes)
    {
        int rows = dimensions.Length > 1 ? dimensions[0] : 1;
        return (rows, rows == 0 ? 0 : Math.Min(classes, elements / rows));
    }

    /// <summary>Writes the elements of the BYTES tensor, each with its length before it.</summary>
    public static void Write(
        ModelTensor tensor, ReadOnlySpan<int> dimensions, ReadOnlySpan<byte> elements, int classes, IBufferWriter<byte> writer)
    {
        switch (tensor.DataType)
        {
            case TensorDataType.UInt8: Write<byte>(tensor, dimensions, elements, classes, writer); break;
            case TensorDataType.UInt16:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, ushort>(elements), classes, writer);
                break;
            case TensorDataType.UInt32:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, uint>(elements), classes, writer);
                break;
            case TensorDataType.UInt64:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, ulong>(elements), classes, writer);
                break;
            case TensorDataType.Int8:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, sbyte>(elements), classes, writer);
                break;
            case TensorDataType.Int16:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, short>(elements), classes, writer);
                break;
            case TensorDataType.Int32:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, int>(elements), classes, writer);
                break;
            case TensorDataType.Int64:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, long>(elements), classes, writer);
                break;
            case TensorDataType.Float16:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, Half>(elements), classes, writer);
                break;
            case TensorDataType.Float32:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, float>(elements), classes, writer);
                break;
            case TensorDataType.Float64:
                Write(tensor, dimensions, MemoryMarshal.Cast<byte, double>(elements), classes, writer);
                break;
            case TensorDataType.BFloat16: WriteBFloat16(tensor, dimensions, elements, classes, writer); break;
            default: throw new ArgumentException($"no classes of {tensor.DataType}", nameof(tensor));
        }
    }

    private static void WriteBFloat16(
        ModelTensor tensor, ReadOnlySpan<int> dimensions, ReadOnlySpan<byte> elements, int classes, IBufferWriter<byte> writer)
    {
        ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<byte, ushort>(elements);
        float[] rented = ArrayPool<float>.Shared.Rent(bits.Length);
        try
        {
            for (int i = 0; i < bits.Length; i++)
            {
                rented[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
            }

            Write<float>(tensor, dimensions, rented.AsSpan(0, bits.Length), classes, writer);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
        }
    }

    private static void Write<T>(
        ModelTensor tensor, ReadOnlySpan<int> dimensions, ReadOnlySpan<T> scores, int classes, IBufferWriter<byte> writer)
        where T : unmanaged, INumber<T>
    {
        (int rows, int count) = Extents(dimensions, scores.Length, classes);
        if (count == 0)
        {
            return;
        }

        int width = scores.Length / rows;
        T[] values = ArrayPool<T>.Shared.Rent(width);
        int[] indices = ArrayPool<int>.Shared.Rent(width);
        try
        {
            for (int row = 0; row < rows; row++)
            {
                scores.Slice(row * width, width).CopyTo(values);
                Rank(values.AsSpan(0, width), indices.AsSpan(0, width), count);
                for (int i = 0; i < count; i++)
                {
                    string name = indices[i] < tensor.ClassNames.Count ? tensor.ClassNames[indices[i]] : "";
                    WriteElement(values[i], indices[i], name, writer);
                }
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(values);
            ArrayPool<int>.Shared.Return(indices);
        }
    }

    /// <summary>Sorts the highest to the front, each with its index; of equal values the lower index first.</summary>
    private static void Rank<T>(Span<T> values, Span<int> indices, int count)
        where T : INumber<T>
    {
        for (int i = 0; i < indices.Length; i++)
        {
            indices[i] = i;
        }

        // Ascending with NaN first, as the library sorts; turned round, and only then equal ones set in order, which the sort
        // does not keep.
        values.Sort(indices);
        values.Reverse();
        indices.Reverse();
        for (int from = 0; from < count;)
        {
            int to = from + 1;
            while (to < values.Length && (values[to] == values[from] || (T.IsNaN(values[to]) && T.IsNaN(values[from]))))
            {
                to++;
            }

            indices[from..to].Sort();
            from = to;
        }
    }

    private static void WriteElement<T>(T value, int index, string name, IBufferWriter<byte> writer)
        where T : INumber<T>
    {
        const int NumbersAndColons = 64;    // the longest double has 24 characters, an index 10
        Span<byte> memory = writer.GetSpan(sizeof(uint) + NumbersAndColons + Encoding.UTF8.GetMaxByteCount(name.Length));
        Span<byte> text = memory[sizeof(uint)..];
        _ = value.TryFormat(text, out int length, default, CultureInfo.InvariantCulture);
        text[length++] = (byte)':';
        _ = index.TryFormat(text[length..], out int written, default, CultureInfo.InvariantCulture);
        length += written;
        if (name.Length != 0)
        {
            text[length++] = (byte)':';
            length += Encoding.UTF8.GetBytes(name, text[length..]);
        }

        BinaryPrimitives.WriteInt32LittleEndian(memory, length);
        writer.Advance(sizeof(uint) + length);
    }
}
