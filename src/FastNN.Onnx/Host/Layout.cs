using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>Operators that give the same elements another shape or order.</summary>
internal static class Layout
{
    public static OnnxValue?[] Identity(HostCall call) => [call.Value(0)];

    /// <summary>Outside training dropout keeps everything; with a mask output all of it is true.</summary>
    public static OnnxValue?[] Dropout(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        bool training = call.Opset >= 12 && call.Optional(2) is { } flag && flag.Array<bool>()[0];
        double ratio = call.Opset >= 12 ? call.Number(1) ?? 0.5 : call.Float("ratio", 0.5f);
        if (training && ratio > 0)
        {
            return RandomNumbers.Dropout(call, x, ratio);
        }

        var mask = OnnxTensor.Zeros(call.Opset >= 10 ? OnnxElementType.Bool : x.ElementType, x.Dims);
        if (mask.Data is bool[] kept)
        {
            Array.Fill(kept, true);
        }

        return [x, mask];
    }

    public static OnnxValue?[] Reshape(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[] shape = call.Longs(1) ?? call.Ints("shape") ?? throw call.Error("a shape", "none");
        var dims = new int[shape.Length];
        int free = -1;
        long known = 1;
        for (int i = 0; i < dims.Length; i++)
        {
            switch (shape[i])
            {
                case -1 when free < 0:
                    free = i;
                    continue;
                case 0 when !call.Flag("allowzero"):
                    dims[i] = i < x.Rank ? x.Dims[i]
                        : throw call.Error("a 0 in the shape where the input has an axis", Join(shape));
                    break;
                case >= 0 and <= int.MaxValue:
                    dims[i] = (int)shape[i];
                    break;
                default:
                    throw call.Error("a shape of extents, with at most one -1", Join(shape));
            }

            known *= dims[i];
        }

        if (free >= 0)
        {
            if (known == 0 || x.Count % known != 0)
            {
                throw call.Error(string.Create(CultureInfo.InvariantCulture, $"a shape for {x.Count} elements"), Join(shape));
            }

            dims[free] = (int)(x.Count / known);
        }
        else if (known != x.Count)
        {
            throw call.Error(string.Create(CultureInfo.InvariantCulture, $"a shape for {x.Count} elements"), Join(shape));
        }

        return HostCall.One(x.WithDims(dims));
    }

    public static OnnxValue?[] Flatten(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long given = call.Int("axis", 1);
        int axis = given == x.Rank ? x.Rank : call.Axis(given, x.Rank);
        return HostCall.One(x.WithDims([Shapes.Product(x.Dims.AsSpan(0, axis)), Shapes.Product(x.Dims.AsSpan(axis))]));
    }

    public static OnnxValue?[] Squeeze(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[]? axes = call.Longs(1) ?? call.Ints("axes");
        var dims = new List<int>();
        int[]? gone = axes is null ? null : Array.ConvertAll(axes, axis => call.Axis(axis, x.Rank));
        for (int i = 0; i < x.Rank; i++)
        {
            if (gone is null ? x.Dims[i] != 1 : Array.IndexOf(gone, i) < 0)
            {
                dims.Add(x.Dims[i]);
            }
            else if (x.Dims[i] != 1)
            {
                throw call.Error(string.Create(CultureInfo.InvariantCulture, $"an extent of 1 along axis {i}"), x.ToString());
            }
        }

        return HostCall.One(x.WithDims([.. dims]));
    }

    public static OnnxValue?[] Unsqueeze(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[] axes = call.Longs(1) ?? call.Ints("axes") ?? throw call.Error("axes", "none");
        int rank = x.Rank + axes.Length;
        int[] added = Array.ConvertAll(axes, axis => call.Axis(axis, rank));
        var dims = new int[rank];
        for (int i = 0, from = 0; i < rank; i++)
        {
            dims[i] = Array.IndexOf(added, i) >= 0 ? 1
                : from < x.Rank ? x.Dims[from++]
                : throw call.Error("different axes", Join(axes));
        }

        return HostCall.One(x.WithDims(dims));
    }

    public static OnnxValue?[] Transpose(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[] permutation = call.Ints("perm") ?? [.. Enumerable.Range(0, x.Rank).Reverse().Select(axis => (long)axis)];
        int[] axes = Array.ConvertAll(permutation, axis => call.Axis(axis, x.Rank));
        return axes.Length == x.Rank && axes.Distinct().Count() == x.Rank
            ? HostCall.One(Shapes.Transpose(x, axes))
            : throw call.Error("a permutation of the axes", Join(permutation));
    }

    public static OnnxValue?[] Concat(HostCall call)
    {
        var parts = new List<OnnxTensor>();
        for (int i = 0; i < call.InputCount; i++)
        {
            parts.Add(call.Tensor(i));
        }

        // Before opset 4 the axis had a default.
        return HostCall.One(Shapes.Concat(call, parts, call.Axis(call.Int("axis", 1), call.Tensor(0).Rank)));
    }

    public static OnnxValue?[] Split(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int axis = call.Axis(call.Int("axis", 0), x.Rank), extent = x.Dims[axis], count = call.OutputCount;
        int[] lengths;
        if ((call.Longs(1) ?? call.Ints("split")) is { } given)
        {
            lengths = Shapes.Extents(call, given);
        }
        else
        {
            if (call.Opset >= 18)
            {
                count = (int)call.Int("num_outputs", count);
            }

            // What does not go in evenly is missing from the last one.
            int each = (extent + count - 1) / count;
            lengths = [.. Enumerable.Range(0, count).Select(i => Math.Clamp(extent - (i * each), 0, each))];
        }

        if (lengths.Length != call.OutputCount || lengths.Sum(length => (long)length) != extent)
        {
            throw call.Error(string.Create(CultureInfo.InvariantCulture, $"{call.OutputCount} lengths that add up to {extent}"),
                Join(lengths));
        }

        var parts = new OnnxValue?[lengths.Length];
        for (int i = 0, start = 0; i < lengths.Length; start += lengths[i++])
        {
            parts[i] = Shapes.Slice(x, axis, start, lengths[i]);
        }

        return parts;
    }

    public static OnnxValue?[] Slice(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[] starts = call.Longs(1) ?? call.Ints("starts") ?? throw call.Error("starts", "none");
        long[] ends = call.Longs(2) ?? call.Ints("ends") ?? throw call.Error("ends", "none");
        long[] axes = call.Longs(3) ?? call.Ints("axes") ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        long[]? steps = call.Longs(4);
        if (ends.Length != starts.Length || axes.Length != starts.Length || (steps is not null && steps.Length != starts.Length))
        {
            throw call.Error("as many ends, axes and steps as starts", $"{starts.Length}, {ends.Length}, {axes.Length}");
        }

        int[] dims = (int[])x.Dims.Clone(), strides = Shapes.Strides(x.Dims);
        int offset = 0;
        for (int i = 0; i < starts.Length; i++)
        {
            int axis = call.Axis(axes[i], x.Rank);
            (long start, long step, int count) = Range(call, x.Dims[axis], starts[i], ends[i], steps?[i] ?? 1);
            offset += count == 0 ? 0 : (int)start * strides[axis];
            dims[axis] = count;
            strides[axis] = (int)Math.Clamp(step * strides[axis], int.MinValue, int.MaxValue);
        }

        return HostCall.One(Shapes.Take(x, Shapes.Places(dims, strides, offset), dims));
    }

    /// <summary>Whether a slice takes all of an axis, however long it is: what other tools write for an axis that they leave
    /// alone.</summary>
    internal static bool IsWhole(long start, long end, long step) => start == 0 && end >= int.MaxValue && step == 1;

    /// <summary>A slice's first place and length, by NumPy's rule.</summary>
    internal static (long Start, long Step, int Count) Range(HostCall call, int extent, long start, long end, long step)
    {
        if (step == 0)
        {
            throw call.Error("steps other than 0", "0");
        }

        start = start < 0 ? start + extent : start;
        end = end < 0 ? end + extent : end;
        if (step > 0)
        {
            start = Math.Clamp(start, 0, extent);
            end = Math.Clamp(end, 0, extent);
            return (start, step, end <= start ? 0 : (int)(1 + ((end - start - 1) / step)));
        }

        start = Math.Clamp(start, -1, extent - 1);
        end = Math.Clamp(end, -1, extent - 1);
        return (start, step, start <= end ? 0 : (int)(1 + ((start - end - 1) / (step == long.MinValue ? long.MaxValue : -step))));
    }

    public static OnnxValue?[] Expand(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int[] dims = Shapes.Broadcast(call, x.Dims, Shapes.Extents(call, call.Longs(1) ?? throw call.Error("a shape", "none")));
        return HostCall.One(Shapes.BroadcastTo(x, dims));
    }

    public static OnnxValue?[] Tile(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int[] repeats = Shapes.Extents(call, call.Longs(1) ?? throw call.Error("repeats", "none"));
        if (call.Opset < 6)
        {
            // One axis, and how often.
            int[] all = new int[x.Rank];
            Array.Fill(all, 1);
            all[call.Axis(call.Long(2) ?? 0, x.Rank)] = repeats[0];
            repeats = all;
        }

        if (repeats.Length != x.Rank)
        {
            throw call.Error("a number of repeats for every axis", Join(repeats));
        }

        OnnxTensor result = x;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            int repeat = repeats[axis];
            if (repeat != 1)
            {
                // [outer, extent, inner] seen as [outer, 1, extent, inner], broadcast, and seen as one axis again.
                int[] dims = (int[])result.Dims.Clone();
                dims[axis] = checked(dims[axis] * repeat);
                int outer = Shapes.Product(result.Dims.AsSpan(0, axis)), inner = Shapes.Product(result.Dims.AsSpan(axis));
                result = Shapes.BroadcastTo(result.WithDims([outer, 1, inner]), [outer, repeat, inner]).WithDims(dims);
            }
        }

        return HostCall.One(result);
    }

    public static OnnxValue?[] Shape(HostCall call)
    {
        int[] dims = call.Tensor(0).Dims;
        int rank = dims.Length;
        long start = call.Int("start", 0), end = call.Int("end", rank);
        start = Math.Clamp(start < 0 ? start + rank : start, 0, rank);
        end = Math.Clamp(end < 0 ? end + rank : end, start, rank);
        return HostCall.One(Vector(Array.ConvertAll(dims[(int)start..(int)end], extent => (long)extent)));
    }

    public static OnnxValue?[] Size(HostCall call) => HostCall.One(OnnxTensor.Create([(long)call.Tensor(0).Count]));

    /// <summary>DepthToSpace: blocks of channels become blocks of pixels.</summary>
    public static OnnxValue?[] DepthToSpace(HostCall call)
    {
        OnnxTensor x = RankFour(call);
        int n = x.Dims[0], c = x.Dims[1], h = x.Dims[2], w = x.Dims[3], b = Block(call);
        if (c % (b * b) != 0)
        {
            throw call.Error($"channels that are a multiple of {b * b}", $"{c}");
        }

        int depth = c / (b * b);
        OnnxTensor moved = call.Text("mode", "DCR") == "CRD"
            ? Shapes.Transpose(x.WithDims([n, depth, b, b, h, w]), [0, 1, 4, 2, 5, 3])
            : Shapes.Transpose(x.WithDims([n, b, b, depth, h, w]), [0, 3, 4, 1, 5, 2]);
        return HostCall.One(moved.WithDims([n, depth, h * b, w * b]));
    }

    public static OnnxValue?[] SpaceToDepth(HostCall call)
    {
        OnnxTensor x = RankFour(call);
        int n = x.Dims[0], c = x.Dims[1], h = x.Dims[2], w = x.Dims[3], b = Block(call);
        if (h % b != 0 || w % b != 0)
        {
            throw call.Error($"height and width that are multiples of {b}", x.ToString());
        }

        return HostCall.One(Shapes.Transpose(x.WithDims([n, c, h / b, b, w / b, b]),
            [0, 3, 5, 1, 2, 4]).WithDims([n, c * b * b, h / b, w / b]));
    }

    private static OnnxTensor RankFour(HostCall call) =>
        call.Tensor(0).Rank == 4 ? call.Tensor(0) : throw call.Error("an input [N, C, H, W]", call.Tensor(0).ToString());

    private static int Block(HostCall call) =>
        call.Int("blocksize", 0) is > 0 and <= 1 << 15 and var block ? (int)block
            : throw call.Error("a blocksize from 1 to 32768", $"{call.Int("blocksize", 0)}");

    /// <summary>A vector of integers.</summary>
    public static OnnxTensor Vector(long[] values) => OnnxTensor.Create(values, values.Length);

    public static string Join<T>(IEnumerable<T> values) => $"[{string.Join(", ", values)}]";
}
