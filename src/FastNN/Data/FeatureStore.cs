using System.Numerics;
using System.Numerics.Tensors;

namespace FastNN.Data;

/// <summary>
/// Where the features of a dataset lie, and how a row of them becomes floats. Rows are converted when a batch is made, so that
/// images stay bytes in memory: MNIST costs 47 MB instead of 188. Read by several threads at once, never written.
/// </summary>
internal abstract class FeatureStore(int rows, int size)
{
    /// <summary>The number of examples.</summary>
    public int Rows { get; } = rows;

    /// <summary>The floats of one example.</summary>
    public int Size { get; } = size;

    /// <summary>Writes the <see cref="Size"/> floats of a row.</summary>
    public abstract void CopyRow(int row, Span<float> destination);
}

/// <summary>Bytes, each times a factor.</summary>
internal sealed class ByteStore(byte[] bytes, int size, float scale) : FeatureStore(bytes.Length / size, size)
{
    public override void CopyRow(int row, Span<float> destination) => Convert(bytes.AsSpan(row * Size, Size), destination, scale);

    internal static void Convert(ReadOnlySpan<byte> source, Span<float> destination, float scale)
    {
        int i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            int width = Vector<float>.Count;
            for (; i <= source.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            {
                Vector.Widen(new Vector<byte>(source[i..]), out Vector<ushort> low, out Vector<ushort> high);
                Store(low, destination.Slice(i, 2 * width), scale);
                Store(high, destination.Slice(i + (2 * width), 2 * width), scale);
            }
        }

        for (; i < source.Length; i++)
            destination[i] = source[i] * scale;
    }

    private static void Store(Vector<ushort> values, Span<float> destination, float scale)
    {
        Vector.Widen(values, out Vector<uint> low, out Vector<uint> high);
        (Vector.ConvertToSingle(Vector.AsVectorInt32(low)) * scale).CopyTo(destination);
        (Vector.ConvertToSingle(Vector.AsVectorInt32(high)) * scale).CopyTo(destination[Vector<float>.Count..]);
    }
}

/// <summary>Floats as they are.</summary>
internal sealed class FloatStore(float[] values, int size) : FeatureStore(values.Length / size, size)
{
    public override void CopyRow(int row, Span<float> destination) => values.AsSpan(row * Size, Size).CopyTo(destination);
}

/// <summary>Another store's row, times a factor, plus an offset.</summary>
internal sealed class RescaledStore(FeatureStore inner, float scale, float offset) : FeatureStore(inner.Rows, inner.Size)
{
    public override void CopyRow(int row, Span<float> destination)
    {
        Span<float> values = destination[..Size];
        inner.CopyRow(row, values);
        TensorPrimitives.Multiply(values, scale, values);
        TensorPrimitives.Add(values, offset, values);
    }
}

/// <summary>Another store's row, less a mean and times a factor for each feature.</summary>
internal sealed class StandardizedStore(FeatureStore inner, float[] mean, float[] factor) : FeatureStore(inner.Rows, inner.Size)
{
    public override void CopyRow(int row, Span<float> destination)
    {
        Span<float> values = destination[..Size];
        inner.CopyRow(row, values);
        TensorPrimitives.Subtract(values, mean, values);
        TensorPrimitives.Multiply(values, factor, values);
    }
}
