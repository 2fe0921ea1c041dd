using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;

namespace FastNN.Data;

/// <summary>
/// The features of a dataset, and of sources also the targets, which come with them. Read by several threads at once, never
/// written.
/// </summary>
internal abstract class FeatureStore(int rows, int size, int targetSize = 0)
{
    /// <summary>The number of examples.</summary>
    public int Rows { get; } = rows;

    /// <summary>The floats of one example.</summary>
    public int Size { get; } = size;

    /// <summary>The floats of one target that <see cref="CopyRow"/> gives; 0 where arrays hold the targets.</summary>
    public int TargetSize { get; } = targetSize;

    /// <summary>Writes the <see cref="Size"/> floats of a row, and the <see cref="TargetSize"/> floats of its target.</summary>
    public abstract void CopyRow(int row, Span<float> destination, Span<float> target);
}

/// <summary>Bytes, each times a factor.</summary>
internal sealed class ByteStore(byte[] bytes, int size, float scale) : FeatureStore(bytes.Length / size, size)
{
    public override void CopyRow(int row, Span<float> destination, Span<float> target) =>
        Convert(bytes.AsSpan(row * Size, Size), destination, scale);

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
        {
            destination[i] = source[i] * scale;
        }
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
    public override void CopyRow(int row, Span<float> destination, Span<float> target) =>
        values.AsSpan(row * Size, Size).CopyTo(destination);
}

/// <summary>What a user's source reads.</summary>
internal sealed class SourceStore(IExampleSource source, int size, int targetSize) : FeatureStore(source.Count, size, targetSize)
{
    public override void CopyRow(int row, Span<float> destination, Span<float> target) =>
        source.Read(row, destination[..Size], target[..TargetSize]);
}

/// <summary>The examples of one dataset, then those of another, with the targets that they hand out.</summary>
internal sealed class ConcatenatedStore(Dataset first, Dataset second)
    : FeatureStore(checked(first.Count + second.Count), first.ExampleSize, first.HasLabels ? 1 : first.TargetSize)
{
    public override void CopyRow(int row, Span<float> destination, Span<float> target)
    {
        bool inFirst = row < first.Count;
        int label = (inFirst ? first : second).CopyExample(inFirst ? row : row - first.Count, destination, target);
        if (first.HasLabels)
        {
            target[0] = label;
        }
    }
}

/// <summary>Another store's row, as features and as target.</summary>
internal sealed class EchoStore(FeatureStore inner) : FeatureStore(inner.Rows, inner.Size, inner.Size)
{
    public override void CopyRow(int row, Span<float> destination, Span<float> target)
    {
        Span<float> values = destination[..Size];
        if (inner.TargetSize <= target.Length)
        {
            inner.CopyRow(row, values, target);
        }
        else
        {
            // What the inner store gives as target is not wanted, but needs room.
            inner.CopyRow(row, values, new float[inner.TargetSize]);
        }

        if (!target.IsEmpty)
        {
            values.CopyTo(target);
        }
    }
}

/// <summary>Another store's row, times a factor, plus an offset.</summary>
internal sealed class RescaledStore(FeatureStore inner, float scale, float offset)
    : FeatureStore(inner.Rows, inner.Size, inner.TargetSize)
{
    public override void CopyRow(int row, Span<float> destination, Span<float> target)
    {
        Span<float> values = destination[..Size];
        inner.CopyRow(row, values, target);
        TensorPrimitives.Multiply(values, scale, values);
        TensorPrimitives.Add(values, offset, values);
    }
}

/// <summary>Another store's row, less a mean and times a factor for each feature.</summary>
internal sealed class StandardizedStore(FeatureStore inner, float[] mean, float[] factor)
    : FeatureStore(inner.Rows, inner.Size, inner.TargetSize)
{
    public override void CopyRow(int row, Span<float> destination, Span<float> target)
    {
        Span<float> values = destination[..Size];
        inner.CopyRow(row, values, target);
        TensorPrimitives.Subtract(values, mean, values);
        TensorPrimitives.Multiply(values, factor, values);
    }
}

/// <summary>Another store's row, its target less a mean and times a factor for each number.</summary>
internal sealed class StandardizedTargetStore(FeatureStore inner, float[] mean, float[] factor)
    : FeatureStore(inner.Rows, inner.Size, inner.TargetSize)
{
    public override void CopyRow(int row, Span<float> destination, Span<float> target)
    {
        inner.CopyRow(row, destination, target);
        Standardizer.Apply(target[..TargetSize], mean, factor);
    }
}

/// <summary>What a user's function makes of another store's row.</summary>
internal sealed class MappedStore(FeatureStore inner, FeatureMap map, int size) : FeatureStore(inner.Rows, size, inner.TargetSize)
{
    public override void CopyRow(int row, Span<float> destination, Span<float> target)
    {
        float[] buffer = ArrayPool<float>.Shared.Rent(inner.Size);
        try
        {
            inner.CopyRow(row, buffer, target);
            map(buffer.AsSpan(0, inner.Size), destination[..Size]);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }
}
