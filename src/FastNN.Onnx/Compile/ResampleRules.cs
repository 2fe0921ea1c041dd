using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>
/// Resize in the forms that the engine has no operator for: axis by axis, every output is a sum of few inputs with constant
/// weights. The host says which, by resizing the identity.
/// </summary>
internal static class ResampleRules
{
    // Up to so many inputs are gathered; more, as in shrinking with antialiasing, are a product with a matrix.
    private const int MostTaps = 4;

    /// <summary>Resizes an image; null where the axes depend on each other, or the host has another form.</summary>
    /// <param name="call">The node.</param>
    /// <param name="x">Its first input.</param>
    /// <param name="dims">The extents of the result.</param>
    public static Traced?[]? Resize(TraceCall call, Traced x, int[] dims)
    {
        int scales = call.Host.Node.Operator == "Upsample" || call.Opset < 11 ? 1 : 2;
        if (call.Host.Text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize"
            || (!call.Has(scales) && !call.Has(3)))
        {
            return null;
        }

        Value value = x.Either;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            bool isScaled = call.Constant(scales) is { Count: > 0 } given && Numbers.Floats(given)[axis] != 1;
            if (isScaled || dims[axis] != x.Dims[axis])
            {
                if (Weights(call, scales, axis, x.Dims[axis], dims[axis]) is not { } weights)
                {
                    return null;
                }

                value = Along(call, value, x.Inside(axis), weights, x.Dims[axis], dims[axis]);
            }
        }

        return [x.IsLast ? Traced.OfLast(value, x.Type, dims) : Traced.OfPlain(value, x.Type, dims)];
    }

    /// <summary>The weights [from, to] of one axis.</summary>
    private static float[]? Weights(TraceCall call, int scales, int axis, int from, int to)
    {
        var identity = new float[from * from];
        for (int i = 0; i < from; i++)
        {
            identity[(i * from) + i] = 1;
        }

        HostCall line = call.Host.With(0, OnnxTensor.Create(identity, from, from));
        line = call.Constant(scales) is { Count: > 0 } given
            ? line.With(scales, OnnxTensor.Create([1f, Numbers.Floats(given)[axis]], 2))
            : line.With(3, OnnxTensor.Create([from, (long)to], 2));
        var result = (OnnxTensor)line.Rerun()[0]!;
        return result.Dims is [var rows, var columns] && rows == from && columns == to ? Numbers.Floats(result) : null;
    }

    private static Value Along(TraceCall call, Value x, int axis, float[] weights, int from, int to)
    {
        var places = new List<int>[to];
        for (int o = 0; o < to; o++)
        {
            places[o] = [.. Enumerable.Range(0, from).Where(i => weights[(i * to) + o] != 0)];
        }

        int taps = Math.Max(1, places.Max(list => list.Count)), rank = x.Shape.Rank;
        if (taps > MostTaps)
        {
            int[] order = [.. Enumerable.Range(0, rank).Where(other => other != axis), axis], back = new int[rank];
            for (int i = 0; i < rank; i++)
            {
                back[order[i]] = i;
            }

            return x.Permute(order).Dense(call.Graph.Constant(weights, new Shape(from, to))).Permute(back);
        }

        Value? sum = null;
        var dims = new int[rank];
        Array.Fill(dims, 1);
        dims[axis] = to;
        for (int tap = 0; tap < taps; tap++)
        {
            int[] index = [.. places.Select(list => tap < list.Count ? list[tap] : 0)];
            float[] factors = [.. places.Select((list, o) => tap < list.Count ? weights[(list[tap] * to) + o] : 0)];
            Value part = x.IndexSelect(axis, call.Graph.ConstantInt32(index, new Shape(to)));
            part = Array.TrueForAll(factors, factor => factor == 1) ? part : part * call.Graph.Constant(factors, new Shape(dims));
            sum = sum is null ? part : sum + part;
        }

        return sum!;
    }
}
