using System.Numerics;

namespace FastNN.Onnx.Host;

/// <summary>Poolings over any number of spatial axes.</summary>
internal static class Poolings
{
    public static OnnxValue?[] MaxPool(HostCall call)
    {
        (OnnxTensor x, Windows windows) = Window(call);
        OnnxTensor winners = Numbers.Dispatch(x.ElementType, new MaxAction(x, windows));
        int[] dims = [x.Dims[0], x.Dims[1], .. windows.OutputDims], chosen = winners.Array<int>();
        OnnxTensor y = Shapes.Take(x, chosen, dims);
        if (!call.Wants(1))
        {
            return [y];
        }

        // Indices into the whole input; with storage order 1 the last two axes count the other way round.
        int[] strides = Shapes.Strides(x.Dims);
        if (call.Int("storage_order", 0) == 1 && x.Rank >= 4)
        {
            int h = x.Dims[^2], w = x.Dims[^1];
            return [y, new OnnxTensor(OnnxElementType.Int64, dims, Array.ConvertAll(chosen, place =>
                (long)(place - (place % (h * w))) + (place % w * h) + (place / w % h)))];
        }

        return [y, new OnnxTensor(OnnxElementType.Int64, dims, Array.ConvertAll(chosen, place => (long)place))];
    }

    private static (OnnxTensor X, Windows Windows) Window(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int[] kernel = Shapes.Extents(call, call.Ints("kernel_shape") ?? throw call.Error("kernel_shape", "none"));
        if (x.Rank < 3 || kernel.Length != x.Rank - 2 || Array.Exists(kernel, extent => extent == 0))
        {
            throw call.Error("an input [N, C, spatial axes] and a kernel over those", $"{x}, {Layout.Join(kernel)}");
        }

        return (x, Windows.Of(call, x.Dims.AsSpan(2), kernel, isPooling: true));
    }

    private readonly struct MaxAction(OnnxTensor x, Windows windows) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] from = x.Array<T>();
            int planes = x.Dims[0] * x.Dims[1], pixels = windows.InputCount, kernels = windows.KernelCount,
                outputs = windows.OutputCount;
            int[] places = windows.Places();
            var winners = new int[Shapes.Product([planes, outputs])];
            for (int plane = 0, at = 0; plane < planes; plane++)
            {
                for (int o = 0; o < outputs; o++, at++)
                {
                    int best = -1;
                    for (int k = 0; k < kernels; k++)
                    {
                        int place = places[(k * outputs) + o];
                        if (place >= 0)
                        {
                            place += plane * pixels;
                            if (best < 0 || from[place] > from[best] || T.IsNaN(from[place]))
                            {
                                best = place;
                            }
                        }
                    }

                    winners[at] = best;
                }
            }

            return new OnnxTensor(OnnxElementType.Int32, [winners.Length], winners);
        }
    }

    public static OnnxValue?[] AveragePool(HostCall call)
    {
        (OnnxTensor x, Windows windows) = Window(call);
        bool padding = call.Flag("count_include_pad");
        double[] from = Numbers.Doubles(x);
        int[] places = windows.Places();
        int planes = x.Dims[0] * x.Dims[1], pixels = windows.InputCount, kernels = windows.KernelCount,
            outputs = windows.OutputCount;
        int[] counts = padding ? PaddedCounts(windows) : Counts(places, kernels, outputs);
        var to = new double[Shapes.Product([planes, outputs])];
        for (int plane = 0; plane < planes; plane++)
        {
            for (int o = 0; o < outputs; o++)
            {
                double sum = 0;
                for (int k = 0; k < kernels; k++)
                {
                    int place = places[(k * outputs) + o];
                    sum += place < 0 ? 0 : from[(plane * pixels) + place];
                }

                to[(plane * outputs) + o] = sum / counts[o];
            }
        }

        return HostCall.One(Result(x, windows, to));
    }

    private static OnnxTensor Result(OnnxTensor x, Windows windows, double[] values) => Numbers.Convert(
        new OnnxTensor(OnnxElementType.Float64, [x.Dims[0], x.Dims[1], .. windows.OutputDims], values), x.ElementType);

    private static int[] Counts(int[] places, int kernels, int outputs)
    {
        var counts = new int[outputs];
        for (int k = 0; k < kernels; k++)
        {
            for (int o = 0; o < outputs; o++)
            {
                counts[o] += places[(k * outputs) + o] >= 0 ? 1 : 0;
            }
        }

        return counts;
    }

    /// <summary>How many places of each window are in the input or its padding; what rounding up adds beyond is
    /// neither.</summary>
    private static int[] PaddedCounts(Windows windows)
    {
        int[] dims = windows.OutputDims, strides = Shapes.Strides(dims);
        var counts = new int[windows.OutputCount];
        for (int o = 0; o < counts.Length; o++)
        {
            int count = 1;
            for (int i = 0; i < dims.Length; i++)
            {
                WindowAxis axis = windows.Axes[i];
                int inside = 0;
                for (int k = 0; k < axis.Kernel; k++)
                {
                    inside += axis.Place(o / strides[i] % dims[i], k) < axis.Input + axis.After ? 1 : 0;
                }

                count *= inside;
            }

            counts[o] = count;
        }

        return counts;
    }

    public static OnnxValue?[] LpPool(HostCall call)
    {
        (OnnxTensor x, Windows windows) = Window(call);
        double p = Power(call);
        double[] from = Numbers.Doubles(x);
        int[] places = windows.Places();
        int planes = x.Dims[0] * x.Dims[1], pixels = windows.InputCount, kernels = windows.KernelCount,
            outputs = windows.OutputCount;
        var to = new double[Shapes.Product([planes, outputs])];
        for (int plane = 0; plane < planes; plane++)
        {
            for (int o = 0; o < outputs; o++)
            {
                double sum = 0;
                for (int k = 0; k < kernels; k++)
                {
                    int place = places[(k * outputs) + o];
                    sum += place < 0 ? 0 : Math.Pow(Math.Abs(from[(plane * pixels) + place]), p);
                }

                to[(plane * outputs) + o] = Math.Pow(sum, 1 / p);
            }
        }

        return HostCall.One(Result(x, windows, to));
    }

    // A float in the first opset, an integer from the second on.
    private static double Power(HostCall call) => call.Opset < 2 ? call.Float("p", 2) : call.Int("p", 2);

    public static OnnxValue?[] GlobalAveragePool(HostCall call) => Global(call, row =>
    {
        double sum = 0;
        foreach (double value in row)
        {
            sum += value;
        }

        return sum / row.Length;
    });

    public static OnnxValue?[] GlobalMaxPool(HostCall call) => Global(call, row =>
    {
        double max = double.NegativeInfinity;
        foreach (double value in row)
        {
            max = Math.Max(max, value);
        }

        return max;
    });

    public static OnnxValue?[] GlobalLpPool(HostCall call)
    {
        double p = Power(call);
        return Global(call, row =>
        {
            double sum = 0;
            foreach (double value in row)
            {
                sum += Math.Pow(Math.Abs(value), p);
            }

            return Math.Pow(sum, 1 / p);
        });
    }

    private delegate double RowFunction(ReadOnlySpan<double> row);

    private static OnnxValue?[] Global(HostCall call, RowFunction function)
    {
        OnnxTensor x = call.Tensor(0);
        if (x.Rank < 2)
        {
            throw call.Error("an input [N, C, spatial axes]", x.ToString());
        }

        double[] from = Numbers.Doubles(x);
        int planes = x.Dims[0] * x.Dims[1], pixels = Shapes.Product(x.Dims.AsSpan(2));
        var to = new double[planes];
        for (int i = 0; i < planes; i++)
        {
            to[i] = function(from.AsSpan(i * pixels, pixels));
        }

        int[] dims = [x.Dims[0], x.Dims[1], .. Enumerable.Repeat(1, x.Rank - 2)];
        return HostCall.One(Numbers.Convert(new OnnxTensor(OnnxElementType.Float64, dims, to), x.ElementType));
    }

    /// <summary>MaxUnpool: elements go back to the places that a pooling took them from.</summary>
    public static OnnxValue?[] MaxUnpool(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[] indices = call.Longs(1) ?? throw call.Error("indices", "none");
        int rank = x.Rank - 2;
        long[] kernel = call.Ints("kernel_shape") ?? throw call.Error("kernel_shape", "none");
        long[] strides = Windows.List(call, "strides", rank, 1), pads = Windows.List(call, "pads", 2 * rank, 0);
        int[] pooled = [x.Dims[0], x.Dims[1],
            .. Enumerable.Range(0, rank).Select(i =>
                checked((int)(((x.Dims[i + 2] - 1) * strides[i]) + kernel[i] - pads[i] - pads[rank + i])))];
        int[] dims = call.Longs(2) is { } wanted ? Shapes.Extents(call, wanted) : pooled;

        // The indices count in the tensor that was pooled; in a larger output they keep row and column.
        int[] own = Shapes.Strides(pooled), strideOut = Shapes.Strides(dims);
        var places = new int[Shapes.Product(dims)];
        Array.Fill(places, -1);
        for (int i = 0; i < indices.Length; i++)
        {
            long place = 0;
            for (int axis = 0; axis < pooled.Length; axis++)
            {
                place += indices[i] / own[axis] % pooled[axis] * strideOut[axis];
            }

            places[place >= 0 && place < places.Length ? place : throw call.Error("indices within the output", $"{indices[i]}")] =
                i;
        }

        return HostCall.One(Shapes.Take(x, places, dims));
    }
}
