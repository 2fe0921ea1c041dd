using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>Extents, strides and the places of elements.</summary>
internal static class Shapes
{
    /// <summary>Elements from one step of an axis to the next.</summary>
    public static int[] Strides(ReadOnlySpan<int> dims)
    {
        var strides = new int[dims.Length];
        int stride = 1;
        for (int i = dims.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= Math.Max(dims[i], 1);
        }

        return strides;
    }

    public static int Product(ReadOnlySpan<int> dims)
    {
        return OnnxTensor.CountOf(dims);
    }

    /// <summary>The shape that shapes broadcast to, by NumPy's rule.</summary>
    public static int[] Broadcast(HostCall call, params ReadOnlySpan<int[]> shapes)
    {
        int rank = 0;
        foreach (int[] shape in shapes)
        {
            rank = Math.Max(rank, shape.Length);
        }

        var result = new int[rank];
        Array.Fill(result, 1);
        foreach (int[] shape in shapes)
        {
            for (int i = 0; i < shape.Length; i++)
            {
                ref int extent = ref result[rank - shape.Length + i];
                if (extent == 1)
                {
                    extent = shape[i];
                }
                else if (shape[i] != 1 && shape[i] != extent)
                {
                    throw call.Error("shapes that broadcast",
                        string.Create(CultureInfo.InvariantCulture, $"extents {extent} and {shape[i]} of one axis"));
                }
            }
        }

        return result;
    }

    /// <summary>For every element of a shape, the place of the one that broadcasts to it; null where each is its own.</summary>
    public static int[]? BroadcastPlaces(int[] from, int[] to)
    {
        if (from.AsSpan().SequenceEqual(to))
        {
            return null;
        }

        var strides = new int[to.Length];
        int[] own = Strides(from);
        for (int i = 0; i < from.Length; i++)
        {
            strides[to.Length - from.Length + i] = from[i] == 1 ? 0 : own[i];
        }

        return Places(to, strides, 0);
    }

    /// <summary>For every element of a shape, in order, an offset plus its index times strides.</summary>
    public static int[] Places(int[] dims, int[] strides, int offset)
    {
        int count = Product(dims);
        var places = new int[count];
        if (count == 0)
        {
            return places;
        }

        int rank = dims.Length;
        if (rank == 0)
        {
            places[0] = offset;
            return places;
        }

        Span<int> index = stackalloc int[rank];
        index.Clear();
        int inner = dims[rank - 1], step = strides[rank - 1], place = offset;
        for (int at = 0; at < count; at += inner)
        {
            int p = place;
            for (int i = 0; i < inner; i++, p += step)
            {
                places[at + i] = p;
            }

            for (int axis = rank - 2; axis >= 0; axis--)
            {
                place += strides[axis];
                if (++index[axis] < dims[axis])
                {
                    break;
                }

                place -= strides[axis] * dims[axis];
                index[axis] = 0;
            }
        }

        return places;
    }

    /// <summary>Elements by their places; a negative place gives the filler, by default zero.</summary>
    public static OnnxTensor Take(OnnxTensor source, int[] places, int[] dims, OnnxTensor? filler = null) =>
        new(source.ElementType, dims, source.Data switch
        {
            float[] data => Take(data, places, filler),
            double[] data => Take(data, places, filler),
            Half[] data => Take(data, places, filler),
            bool[] data => Take(data, places, filler),
            string[] data => TakeText(data, places, filler),
            long[] data when data.GetType() == typeof(long[]) => Take(data, places, filler),
            ulong[] data => Take(data, places, filler),
            int[] data when data.GetType() == typeof(int[]) => Take(data, places, filler),
            uint[] data => Take(data, places, filler),
            short[] data when data.GetType() == typeof(short[]) => Take(data, places, filler),
            ushort[] data => Take(data, places, filler),
            sbyte[] data when data.GetType() == typeof(sbyte[]) => Take(data, places, filler),
            byte[] data => Take(data, places, filler),
            _ => throw new NotSupportedException($"elements of {source.ElementType.Name()} cannot be moved"),
        });

    private static T[] Take<T>(T[] data, int[] places, OnnxTensor? filler)
        where T : unmanaged
    {
        T fill = filler is null ? default : filler.Array<T>()[0];
        var result = new T[places.Length];
        for (int i = 0; i < places.Length; i++)
        {
            int place = places[i];
            result[i] = place < 0 ? fill : data[place];
        }

        return result;
    }

    private static string[] TakeText(string[] data, int[] places, OnnxTensor? filler)
    {
        string fill = filler is null ? "" : filler.Array<string>()[0];
        return Array.ConvertAll(places, place => place < 0 ? fill : data[place]);
    }

    /// <summary>The tensor in another shape, elements repeated by NumPy's rule.</summary>
    public static OnnxTensor BroadcastTo(OnnxTensor tensor, int[] dims) =>
        BroadcastPlaces(tensor.Dims, dims) is { } places ? Take(tensor, places, dims) : tensor;

    /// <summary>The axes in another order.</summary>
    public static OnnxTensor Transpose(OnnxTensor tensor, int[] permutation)
    {
        int[] strides = Strides(tensor.Dims);
        OnnxTensor result = OnnxTensor.Zeros(tensor.ElementType, Array.ConvertAll(permutation, axis => tensor.Dims[axis]));
        Transposition.Run(tensor, result, Array.ConvertAll(permutation, axis => strides[axis]));
        return result;
    }

    /// <summary>Part of a tensor: <paramref name="count"/> steps of an axis from a place on.</summary>
    public static OnnxTensor Slice(OnnxTensor tensor, int axis, int start, int count)
    {
        int[] dims = (int[])tensor.Dims.Clone();
        dims[axis] = count;
        int[] strides = Strides(tensor.Dims);
        return Take(tensor, Places(dims, strides, start * strides[axis]), dims);
    }

    /// <summary>Tensors one behind the other along an axis; they agree in all others.</summary>
    public static OnnxTensor Concat(HostCall call, IReadOnlyList<OnnxTensor> parts, int axis)
    {
        int[] dims = (int[])parts[0].Dims.Clone();
        dims[axis] = 0;
        foreach (OnnxTensor part in parts)
        {
            if (part.ElementType != parts[0].ElementType || part.Rank != dims.Length)
            {
                throw call.Error("tensors of one type and rank", $"{parts[0]} and {part}");
            }

            for (int i = 0; i < dims.Length; i++)
            {
                if (i != axis && part.Dims[i] != dims[i])
                {
                    throw call.Error(string.Create(CultureInfo.InvariantCulture, $"tensors that differ along axis {axis} alone"),
                        $"{parts[0]} and {part}");
                }
            }

            dims[axis] = checked(dims[axis] + part.Dims[axis]);
        }

        OnnxTensor result = OnnxTensor.Zeros(parts[0].ElementType, dims);
        int outer = Product(dims.AsSpan(0, axis)), inner = Product(dims.AsSpan(axis + 1)), at = 0;
        foreach (OnnxTensor part in parts)
        {
            int length = part.Dims[axis] * inner;
            for (int o = 0; o < outer && length > 0; o++)
            {
                Array.Copy(part.Data, o * length, result.Data, (o * dims[axis] * inner) + at, length);
            }

            at += length;
        }

        return result;
    }

    /// <summary>Numbers of an input as extents.</summary>
    public static int[] Extents(HostCall call, long[] numbers) => Array.ConvertAll(numbers, number =>
        number is >= 0 and <= int.MaxValue
            ? (int)number
            : throw call.Error("extents from 0 to 2147483647", string.Create(CultureInfo.InvariantCulture, $"{number}")));
}
