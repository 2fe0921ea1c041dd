namespace FastNN.Onnx.Export;

/// <summary>
/// A parameter, or another tensor that is known when the file is written. Its elements are laid out at that time as its reader
/// wants them; a second reader that wants another order gets that by a node, so that weights stay shared.
/// </summary>
/// <param name="name">What the file calls it; null for what is no parameter.</param>
/// <param name="type">Its type in the engine.</param>
/// <param name="read">Gives the elements as bytes, in the engine's order.</param>
internal sealed class ConstantSource(Emitter emitter, string? name, TensorType type, Func<byte[]> read)
{
    private readonly Dictionary<string, string> _readers = new(StringComparer.Ordinal);
    private (string Name, int[] Order, bool IsNatural)? _first;
    private byte[]? _bytes;

    /// <summary>What the file calls it.</summary>
    public string Name => name ?? "weight";

    public Shape Shape => type.Shape;

    public DType Type => type.Type;

    /// <summary>The elements as bytes, in the engine's order.</summary>
    public byte[] Bytes => _bytes ??= read();

    /// <summary>The elements, which are floats.</summary>
    public float[] Floats => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(Bytes).ToArray();

    /// <summary>The elements, which are Int32.</summary>
    public int[] Int32s => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(Bytes).ToArray();

    /// <summary>As the engine has it.</summary>
    public string Plain => Arranged([.. Enumerable.Range(0, Shape.Rank)]);

    /// <summary>The tensor with its axes in another order.</summary>
    /// <param name="order">The result's axis i is the engine's axis order[i].</param>
    /// <param name="dims">Other extents for the result, of as many elements; null for those that follow.</param>
    /// <param name="places">Elements picked along one axis of the engine's, before all else.</param>
    /// <returns>The name of an initializer, or of what a node makes of one.</returns>
    public string Arranged(int[] order, long[]? dims = null, (int Axis, int[] Order)? places = null)
    {
        dims ??= Array.ConvertAll(order, axis => (long)Shape[axis]);
        string key = $"{string.Join(',', order)}|{string.Join(',', dims)}|{(places is { } picked ? picked.Axis : -1)}";
        if (_readers.TryGetValue(key, out string? known))
        {
            return known;
        }

        long[] natural = Array.ConvertAll(order, axis => (long)Shape[axis]);
        bool isNatural = natural.AsSpan().SequenceEqual(dims);
        string result;
        if (_first is { } first && places is null)
        {
            string written = first.IsNatural
                ? first.Name
                : emitter.Op("Reshape", first.Name, emitter.Longs(Array.ConvertAll(first.Order, axis => (long)Shape[axis])));
            result = emitter.Transpose(written, Array.ConvertAll(order, axis => Array.IndexOf(first.Order, axis)));
            result = isNatural ? result : emitter.Op("Reshape", result, emitter.Longs(dims));
        }
        else
        {
            int[] extents = Shape.ToArray();
            byte[] bytes = places is { } chosen ? Pick(Bytes, extents, chosen.Axis, chosen.Order) : Bytes;
            (var element, bytes) = ((OnnxElementType)Type.Traits().Onnx, Transposed(bytes, extents, order));
            result = name is null ? emitter.Constant(element, bytes, dims) : emitter.Initializer(name, element, bytes, dims);
            if (places is null)
            {
                _first = (result, order, isNatural);
            }
        }

        _readers.Add(key, result);
        return result;
    }

    private byte[] Pick(byte[] from, int[] extents, int axis, int[] order)
    {
        int inner = Type.Size();
        for (int i = axis + 1; i < extents.Length; i++)
        {
            inner *= extents[i];
        }

        var to = new byte[from.Length];
        int row = inner * extents[axis];
        for (int start = 0; start < from.Length; start += row)
        {
            for (int i = 0; i < order.Length; i++)
            {
                from.AsSpan(start + (order[i] * inner), inner).CopyTo(to.AsSpan(start + (i * inner)));
            }
        }

        return to;
    }

    private byte[] Transposed(byte[] from, int[] extents, int[] order)
    {
        bool moves = false;
        for (int i = 0; i < order.Length; i++)
        {
            moves |= order[i] != i;
        }

        if (!moves)
        {
            return from;
        }

        int size = Type.Size(), rank = extents.Length;
        var strides = new int[rank];
        for (int axis = rank - 1, stride = size; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= extents[axis];
        }

        var to = new byte[from.Length];
        var at = new int[rank];
        for (int target = 0, source = 0; target < to.Length; target += size)
        {
            from.AsSpan(source, size).CopyTo(to.AsSpan(target));
            for (int i = rank - 1; i >= 0; i--)
            {
                source += strides[order[i]];
                if (++at[i] < extents[order[i]])
                {
                    break;
                }

                source -= strides[order[i]] * extents[order[i]];
                at[i] = 0;
            }
        }

        return to;
    }
}
