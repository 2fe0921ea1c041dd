using System.Globalization;
using System.Numerics;

namespace FastNN.Onnx.Host;

/// <summary>Operators that choose and place elements by index.</summary>
internal static class Indexing
{
    public static OnnxValue?[] Gather(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), indices = call.Tensor(1);
        int axis = call.Axis(call.Int("axis", 0), x.Rank), extent = x.Dims[axis];
        int[] chosen = Indices(call, 1, extent);
        int outer = Shapes.Product(x.Dims.AsSpan(0, axis)), inner = Shapes.Product(x.Dims.AsSpan(axis + 1));
        int[] dims = [.. x.Dims[..axis], .. indices.Dims, .. x.Dims[(axis + 1)..]];
        var places = new int[Shapes.Product(dims)];
        int at = 0;
        for (int o = 0; o < outer; o++)
        {
            foreach (int index in chosen)
            {
                for (int i = 0, from = ((o * extent) + index) * inner; i < inner; i++)
                {
                    places[at++] = from + i;
                }
            }
        }

        return HostCall.One(Shapes.Take(x, places, dims));
    }

    public static OnnxValue?[] GatherElements(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), indices = call.Tensor(1);
        return HostCall.One(Shapes.Take(x, ElementPlaces(call, x, indices), indices.Dims));
    }

    public static OnnxValue?[] GatherND(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), indices = call.Tensor(1);
        int batch = (int)call.Int("batch_dims", 0);
        if (indices.Rank == 0 || batch < 0 || batch >= Math.Min(x.Rank, indices.Rank))
        {
            throw call.Error("batch_dims below both ranks", $"{batch}");
        }

        int depth = indices.Dims[^1];
        if (batch + depth > x.Rank)
        {
            throw call.Error($"index tuples of at most {x.Rank - batch}", $"{depth}");
        }

        int[] tuples = TuplePlaces(call, x, indices, batch, depth);
        int inner = Shapes.Product(x.Dims.AsSpan(batch + depth));
        int[] dims = [.. indices.Dims[..^1], .. x.Dims[(batch + depth)..]];
        var places = new int[Shapes.Product(dims)];
        for (int t = 0, at = 0; t < tuples.Length; t++)
        {
            for (int i = 0; i < inner; i++)
            {
                places[at++] = tuples[t] + i;
            }
        }

        return HostCall.One(Shapes.Take(x, places, dims));
    }

    public static OnnxValue?[] ScatterElements(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), indices = call.Tensor(1), updates = call.Tensor(2);
        if (!indices.Dims.AsSpan().SequenceEqual(updates.Dims))
        {
            throw call.Error("updates of the indices' shape", updates.ToString());
        }

        return HostCall.One(Scatter(call, x, ElementPlaces(call, x, indices), updates));
    }

    public static OnnxValue?[] ScatterND(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), indices = call.Tensor(1), updates = call.Tensor(2);
        if (indices.Rank == 0 || indices.Dims[^1] > x.Rank)
        {
            throw call.Error($"index tuples of at most {x.Rank}", indices.ToString());
        }

        int depth = indices.Dims[^1];
        int[] tuples = TuplePlaces(call, x, indices, 0, depth);
        int inner = Shapes.Product(x.Dims.AsSpan(depth));
        if (updates.Count != (long)tuples.Length * inner)
        {
            throw call.Error($"updates of shape {OnnxTensor.Text([.. indices.Dims[..^1], .. x.Dims[depth..]])}",
                updates.ToString());
        }

        var places = new int[updates.Count];
        for (int t = 0, at = 0; t < tuples.Length; t++)
        {
            for (int i = 0; i < inner; i++)
            {
                places[at++] = tuples[t] + i;
            }
        }

        return HostCall.One(Scatter(call, x, places, updates));
    }

    /// <summary>TensorScatter (opset 24): writes an update into a cache, from a place on that each example has.</summary>
    public static OnnxValue?[] TensorScatter(HostCall call)
    {
        OnnxTensor cache = call.Tensor(0), update = call.Tensor(1);
        int axis = call.Axis(call.Int("axis", -2), cache.Rank);
        bool circular = call.Text("mode", "linear") == "circular";
        int batch = cache.Dims[0], extent = cache.Dims[axis], length = update.Dims[axis];
        long[] from = call.Longs(2) ?? new long[batch];
        if (axis == 0 || update.Rank != cache.Rank || from.Length != batch)
        {
            throw call.Error("an axis behind the batch and a write index for every example",
                $"axis {axis}, {from.Length} indices");
        }

        int[] strides = Shapes.Strides(cache.Dims), places = new int[update.Count];
        int middle = Shapes.Product(cache.Dims.AsSpan(1, axis - 1)), inner = strides[axis], at = 0;
        for (int b = 0; b < batch; b++)
        {
            for (int m = 0; m < middle; m++)
            {
                for (int t = 0; t < length; t++)
                {
                    long place = from[b] + t;
                    if (circular)
                    {
                        place %= extent;
                    }

                    if (place < 0 || place >= extent)
                    {
                        throw call.Error($"places from 0 to {extent - 1} in the cache", $"{place}");
                    }

                    for (int i = 0; i < inner; i++)
                    {
                        places[at++] = (((((b * middle) + m) * extent) + (int)place) * inner) + i;
                    }
                }
            }
        }

        return HostCall.One(Scatter(call, cache, places, update));
    }

    private static OnnxTensor Scatter(HostCall call, OnnxTensor x, int[] places, OnnxTensor updates)
    {
        if (updates.ElementType != x.ElementType)
        {
            throw call.Error("updates of the data's type", updates.ToString());
        }

        string reduction = call.Text("reduction", "none");
        if (reduction == "none")
        {
            var result = new OnnxTensor(x.ElementType, x.Dims, (Array)x.Data.Clone());
            for (int i = 0; i < places.Length; i++)
            {
                // By the array's own type: any element can be placed.
                Array.Copy(updates.Data, i, result.Data, places[i], 1);
            }

            return result;
        }

        return Numbers.Dispatch(x.ElementType, new ScatterAction(call, x, places, updates, reduction));
    }

    private readonly struct ScatterAction(HostCall call, OnnxTensor x, int[] places, OnnxTensor updates, string reduction)
        : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var to = (T[])x.Data.Clone();
            T[] from = updates.Array<T>();
            for (int i = 0; i < from.Length; i++)
            {
                ref T element = ref to[places[i]];
                element = reduction switch
                {
                    "add" => element + from[i],
                    "mul" => element * from[i],
                    "max" => T.Max(element, from[i]),
                    "min" => T.Min(element, from[i]),
                    _ => throw call.Error("reduction none, add, mul, max or min", reduction),
                };
            }

            return new OnnxTensor(x.ElementType, x.Dims, to);
        }
    }

    /// <summary>An input of indices, each from 0.</summary>
    private static int[] Indices(HostCall call, int input, int extent)
    {
        long[] indices = call.Longs(input)!;
        return Array.ConvertAll(indices, index => index >= -extent && index < extent
            ? (int)(index < 0 ? index + extent : index)
            : throw call.Error(
                string.Create(CultureInfo.InvariantCulture, $"indices from {-extent} to {extent - 1}"),
                string.Create(CultureInfo.InvariantCulture, $"{index}")));
    }

    /// <summary>For every index of GatherElements and ScatterElements, the place in the data.</summary>
    private static int[] ElementPlaces(HostCall call, OnnxTensor x, OnnxTensor indices)
    {
        int axis = call.Axis(call.Int("axis", 0), x.Rank);
        if (indices.Rank != x.Rank)
        {
            throw call.Error("indices of the data's rank", indices.ToString());
        }

        for (int i = 0; i < x.Rank; i++)
        {
            if (i != axis && indices.Dims[i] > x.Dims[i])
            {
                throw call.Error("indices within the data along the other axes", indices.ToString());
            }
        }

        int[] chosen = Indices(call, 1, x.Dims[axis]);
        int[] strides = Shapes.Strides(x.Dims), others = (int[])strides.Clone();
        others[axis] = 0;
        int[] places = Shapes.Places(indices.Dims, others, 0);
        for (int i = 0; i < places.Length; i++)
        {
            places[i] += chosen[i] * strides[axis];
        }

        return places;
    }

    /// <summary>For every tuple of indices, the place in the data of what it chooses.</summary>
    private static int[] TuplePlaces(HostCall call, OnnxTensor x, OnnxTensor indices, int batch, int depth)
    {
        long[] all = call.Longs(1)!;
        int[] strides = Shapes.Strides(x.Dims);
        int tuples = Shapes.Product(indices.Dims.AsSpan(0, indices.Rank - 1));
        int batches = Shapes.Product(x.Dims.AsSpan(0, batch)), perBatch = batches == 0 ? 0 : tuples / batches;
        int batchStride = batch == 0 ? 0 : strides[batch - 1];
        var places = new int[tuples];
        for (int t = 0; t < tuples; t++)
        {
            int place = batch == 0 ? 0 : t / perBatch * batchStride;
            for (int d = 0; d < depth; d++)
            {
                int extent = x.Dims[batch + d];
                long index = all[((long)t * depth) + d];
                if (index < -extent || index >= extent)
                {
                    throw call.Error($"indices from {-extent} to {extent - 1} along axis {batch + d}", $"{index}");
                }

                place += (int)(index < 0 ? index + extent : index) * strides[batch + d];
            }

            places[t] = place;
        }

        return places;
    }

    public static OnnxValue?[] Where(HostCall call)
    {
        OnnxTensor condition = call.Tensor(0), x = call.Tensor(1), y = call.Tensor(2);
        if (condition.ElementType != OnnxElementType.Bool || x.ElementType != y.ElementType)
        {
            throw call.Error("a condition of BOOL and two tensors of one type", $"{condition}, {x}, {y}");
        }

        int[] dims = Shapes.Broadcast(call, condition.Dims, x.Dims, y.Dims);
        bool[] choose = Shapes.BroadcastTo(condition, dims).Array<bool>();
        int[]? xs = Shapes.BroadcastPlaces(x.Dims, dims), ys = Shapes.BroadcastPlaces(y.Dims, dims);

        // Both one behind the other, and a place in that.
        OnnxTensor both = Shapes.Concat(call, [x.WithDims([x.Count]), y.WithDims([y.Count])], 0);
        var places = new int[choose.Length];
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = choose[i] ? xs is null ? i : xs[i] : x.Count + (ys is null ? i : ys[i]);
        }

        return HostCall.One(Shapes.Take(both, places, dims));
    }

    public static OnnxValue?[] Compress(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        bool[] keep = call.Tensor(1).Array<bool>();
        int axis = 0;
        if (call.HasAttribute("axis"))
        {
            axis = call.Axis(call.Int("axis", 0), x.Rank);
        }
        else
        {
            x = x.WithDims([x.Count]);
        }

        int extent = x.Dims[axis];
        int[] kept = [.. Enumerable.Range(0, Math.Min(extent, keep.Length)).Where(i => keep[i])];
        int outer = Shapes.Product(x.Dims.AsSpan(0, axis)), inner = Shapes.Product(x.Dims.AsSpan(axis + 1));
        int[] dims = (int[])x.Dims.Clone();
        dims[axis] = kept.Length;
        var places = new int[Shapes.Product(dims)];
        int at = 0;
        for (int o = 0; o < outer; o++)
        {
            foreach (int k in kept)
            {
                for (int i = 0; i < inner; i++)
                {
                    places[at++] = (((o * extent) + k) * inner) + i;
                }
            }
        }

        return HostCall.One(Shapes.Take(x, places, dims));
    }

    public static OnnxValue?[] NonZero(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        bool[] set = Numbers.Convert(x, OnnxElementType.Bool).Array<bool>();
        int[] strides = Shapes.Strides(x.Dims);
        int[] found = [.. Enumerable.Range(0, set.Length).Where(i => set[i])];
        var result = new long[x.Rank * found.Length];
        for (int axis = 0; axis < x.Rank; axis++)
        {
            for (int i = 0; i < found.Length; i++)
            {
                result[(axis * found.Length) + i] = found[i] / strides[axis] % x.Dims[axis];
            }
        }

        return HostCall.One(OnnxTensor.Create(result, x.Rank, found.Length));
    }

    public static OnnxValue?[] OneHot(HostCall call)
    {
        OnnxTensor indices = call.Tensor(0), values = call.Tensor(2);
        double depth = call.Number(1) ?? throw call.Error("a depth", "none");
        if (depth is < 0 or > int.MaxValue || values.Count != 2)
        {
            throw call.Error("a depth from 0 and two values", $"{depth} and {values}");
        }

        double[] numbers = Numbers.Doubles(indices);
        int extent = (int)depth, axis = call.Axis(call.Int("axis", -1), indices.Rank + 1);
        int[] dims = [.. indices.Dims[..axis], extent, .. indices.Dims[axis..]];
        int inner = Shapes.Product(indices.Dims.AsSpan(axis));
        var places = new int[Shapes.Product(dims)];
        for (int i = 0; i < numbers.Length; i++)
        {
            double index = numbers[i] < 0 ? numbers[i] + extent : numbers[i];
            if (index >= 0 && index < extent)
            {
                places[(((i / inner * extent) + (int)index) * inner) + (i % inner)] = 1;
            }
        }

        return HostCall.One(Shapes.Take(values, places, dims));
    }

    public static OnnxValue?[] Trilu(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        if (x.Rank < 2)
        {
            throw call.Error("matrices", x.ToString());
        }

        long k = call.Long(1) ?? 0;
        bool upper = call.Int("upper", 1) != 0;
        int rows = x.Dims[^2], columns = x.Dims[^1];
        var places = new int[x.Count];
        for (int i = 0; i < places.Length; i++)
        {
            long distance = (i % columns) - (long)(i / columns % rows);
            places[i] = (upper ? distance >= k : distance <= k) ? i : -1;
        }

        return HostCall.One(Shapes.Take(x, places, x.Dims));
    }

    public static OnnxValue?[] ReverseSequence(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[] lengths = call.Longs(1) ?? throw call.Error("lengths", "none");
        int batchAxis = call.Axis(call.Int("batch_axis", 1), x.Rank), timeAxis = call.Axis(call.Int("time_axis", 0), x.Rank);
        int[] strides = Shapes.Strides(x.Dims);
        var places = new int[x.Count];
        for (int i = 0; i < places.Length; i++)
        {
            int t = i / strides[timeAxis] % x.Dims[timeAxis], b = i / strides[batchAxis] % x.Dims[batchAxis];
            long length = lengths[b];
            places[i] = t < length ? i + ((int)(length - 1 - t - t) * strides[timeAxis]) : i;
        }

        return HostCall.One(Shapes.Take(x, places, x.Dims));
    }

    public static OnnxValue?[] CenterCropPad(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[] shape = call.Longs(1) ?? throw call.Error("a shape", "none");
        long[] axes = call.Ints("axes") ?? [.. Enumerable.Range(0, x.Rank).Select(axis => (long)axis)];
        int[] dims = (int[])x.Dims.Clone(), strides = Shapes.Strides(x.Dims), first = new int[x.Rank];
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = call.Axis(axes[i], x.Rank), wanted = Shapes.Extents(call, shape)[i], difference = dims[axis] - wanted;

            // An odd pixel is cut or padded at the end.
            first[axis] = difference >= 0 ? difference / 2 : -(-difference / 2);
            dims[axis] = wanted;
        }

        return HostCall.One(Shapes.Take(x, Windowed(x.Dims, dims, first), dims));
    }

    /// <summary>For each element of a window that begins at some place of a tensor, its place there, or -1 beside it.</summary>
    internal static int[] Windowed(int[] from, int[] dims, int[] first)
    {
        int[] strides = Shapes.Strides(from), own = Shapes.Strides(dims);
        var places = new int[Shapes.Product(dims)];
        for (int i = 0; i < places.Length; i++)
        {
            int place = 0;
            for (int axis = 0; axis < dims.Length; axis++)
            {
                int index = (i / own[axis] % dims[axis]) + first[axis];
                if (index < 0 || index >= from[axis])
                {
                    place = -1;
                    break;
                }

                place += index * strides[axis];
            }

            places[i] = place;
        }

        return places;
    }
}
