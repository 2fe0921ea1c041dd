using System.Numerics;

namespace FastNN.Onnx.Host;

/// <summary>Convolutions over any number of spatial axes, by matrices of windows.</summary>
internal static class Convolutions
{
    public static OnnxValue?[] Conv(HostCall call) => HostCall.One(Conv(call, call.Tensor(0), call.Tensor(1), call.Optional(2)));

    public static OnnxTensor Conv(HostCall call, OnnxTensor x, OnnxTensor weight, OnnxTensor? bias)
    {
        int groups = Groups(call, x, weight, transposed: false);
        var windows = Windows.Of(call, x.Dims.AsSpan(2), weight.Dims.AsSpan(2));
        return Numbers.Dispatch(x.ElementType, new ConvAction(x, weight, bias, groups, windows));
    }

    private static int Groups(HostCall call, OnnxTensor x, OnnxTensor weight, bool transposed)
    {
        long groups = call.Int("group", 1);
        if (x.Rank < 3 || weight.Rank != x.Rank || x.ElementType != weight.ElementType)
        {
            throw call.Error("an input [N, C, spatial axes] and a filter of its rank and type", $"{x} and {weight}");
        }

        bool fits = groups > 0 && (transposed
            ? weight.Dims[0] == x.Dims[1] && x.Dims[1] % groups == 0
            : weight.Dims[1] * groups == x.Dims[1] && weight.Dims[0] % groups == 0);
        if (call.Ints("kernel_shape") is { } kernel
            && !Shapes.Extents(call, kernel).AsSpan().SequenceEqual(weight.Dims.AsSpan(2)))
        {
            throw call.Error("kernel_shape as the filter's", Layout.Join(kernel));
        }

        return fits ? (int)groups : throw call.Error($"channels that fit {groups} groups", $"{x} and {weight}");
    }

    private readonly struct ConvAction(OnnxTensor x, OnnxTensor weight, OnnxTensor? bias, int groups, Windows windows)
        : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] from = x.Array<T>(), filter = weight.Array<T>();
            T[]? offset = bias?.Array<T>();
            int n = x.Dims[0], channels = x.Dims[1] / groups, filters = weight.Dims[0] / groups;
            int pixels = windows.InputCount, kernels = windows.KernelCount, outputs = windows.OutputCount;
            int[] places = windows.Places();
            var to = new T[Shapes.Product([n, weight.Dims[0], outputs])];
            var columns = new T[Shapes.Product([channels, kernels, outputs])];
            for (int image = 0; image < n; image++)
            {
                for (int g = 0; g < groups; g++)
                {
                    for (int c = 0; c < channels; c++)
                    {
                        ReadOnlySpan<T> plane = from.AsSpan(((((image * groups) + g) * channels) + c) * pixels, pixels);
                        Span<T> column = columns.AsSpan(c * kernels * outputs, kernels * outputs);
                        for (int i = 0; i < column.Length; i++)
                        {
                            column[i] = places[i] < 0 ? T.Zero : plane[places[i]];
                        }
                    }

                    Span<T> result = to.AsSpan(((image * groups) + g) * filters * outputs, filters * outputs);
                    if (offset is not null)
                    {
                        for (int f = 0; f < filters; f++)
                        {
                            result.Slice(f * outputs, outputs).Fill(offset[(g * filters) + f]);
                        }
                    }

                    int depth = channels * kernels;
                    Products.Multiply(filter.AsSpan(g * filters * depth, filters * depth), columns, result, filters, depth,
                        outputs);
                }
            }

            return new OnnxTensor(x.ElementType, [n, weight.Dims[0], .. windows.OutputDims], to);
        }
    }

    /// <summary>The gradient of a convolution by its input, as a layer of its own: every input is spread over a window.</summary>
    public static OnnxValue?[] ConvTranspose(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), weight = call.Tensor(1);
        int groups = Groups(call, x, weight, transposed: true);
        return HostCall.One(Numbers.Dispatch(x.ElementType,
            new TransposeAction(x, weight, call.Optional(2), groups, TransposedWindows(call, x.Dims, weight.Dims))));
    }

    /// <summary>The windows of the convolution whose gradient a transposed one is: the input's places are their
    /// outputs.</summary>
    public static Windows TransposedWindows(HostCall call, int[] x, int[] weight)
    {
        int rank = x.Length - 2;
        long[] strides = Windows.List(call, "strides", rank, 1), dilations = Windows.List(call, "dilations", rank, 1);
        long[] pads = Windows.List(call, "pads", 2 * rank, 0), extra = Windows.List(call, "output_padding", rank, 0);
        long[]? wanted = call.Ints("output_shape");
        string auto = call.Text("auto_pad", "NOTSET");
        var axes = new WindowAxis[rank];
        for (int i = 0; i < rank; i++)
        {
            int input = x[i + 2], kernel = weight[i + 2];
            long full = (strides[i] * (input - 1)) + extra[i] + ((kernel - 1) * dilations[i]) + 1, before = pads[i],
                after = pads[rank + i];
            long output = full - before - after;
            if (wanted is { Length: > 0 } || auto is "SAME_UPPER" or "SAME_LOWER")
            {
                output = wanted is { Length: > 0 } ? wanted[wanted.Length - rank + i] : input * strides[i];
                long total = Math.Max(0, full - output);
                before = auto == "SAME_UPPER" ? total / 2 : total - (total / 2);
                after = total - before;
            }

            if (strides[i] <= 0 || dilations[i] <= 0 || output <= 0)
            {
                throw call.Error("positive strides, dilations and output extents", $"{strides[i]}, {dilations[i]}, {output}");
            }

            axes[i] = new WindowAxis(checked((int)output), kernel, (int)strides[i], (int)dilations[i], (int)before, (int)after,
                input);
        }

        return new Windows { Axes = axes };
    }

    private readonly struct TransposeAction(OnnxTensor x, OnnxTensor weight, OnnxTensor? bias, int groups, Windows windows)
        : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] from = x.Array<T>();
            T[]? offset = bias?.Array<T>();
            int n = x.Dims[0], channels = x.Dims[1] / groups, filters = weight.Dims[1];
            int pixels = windows.OutputCount, kernels = windows.KernelCount, outputs = windows.InputCount;
            int[] places = windows.Places();

            // [groups, channels, filters * kernels] with the channels last: rows times an image's pixels.
            int depth = filters * kernels;
            T[] filter = Shapes.Transpose(weight.WithDims([groups, channels, depth]), [0, 2, 1]).Array<T>();
            var to = new T[Shapes.Product([n, filters * groups, outputs])];
            var columns = new T[Shapes.Product([depth, pixels])];
            for (int image = 0; image < n; image++)
            {
                for (int g = 0; g < groups; g++)
                {
                    Array.Clear(columns);
                    ReadOnlySpan<T> input = from.AsSpan(((image * groups) + g) * channels * pixels, channels * pixels);
                    Products.Multiply(filter.AsSpan(g * depth * channels, depth * channels), input, columns, depth, channels,
                        pixels);
                    for (int f = 0; f < filters; f++)
                    {
                        Span<T> plane = to.AsSpan(((((image * groups) + g) * filters) + f) * outputs, outputs);
                        plane.Fill(offset is null ? T.Zero : offset[(g * filters) + f]);
                        ReadOnlySpan<T> column = columns.AsSpan(f * kernels * pixels, kernels * pixels);
                        for (int i = 0; i < column.Length; i++)
                        {
                            if (places[i] >= 0)
                            {
                                plane[places[i]] += column[i];
                            }
                        }
                    }
                }
            }

            return new OnnxTensor(x.ElementType, [n, filters * groups, .. Array.ConvertAll(windows.Axes, axis => axis.Input)],
                to);
        }
    }

    public static OnnxValue?[] ConvInteger(HostCall call)
    {
        OnnxTensor x = Quantization.WithoutZeroPoint(call, call.Tensor(0), call.Optional(2), row: null);
        OnnxTensor weight = Quantization.WithoutZeroPoint(call, call.Tensor(1), call.Optional(3), row: true);
        return HostCall.One(Conv(call, x, weight, null));
    }

    /// <summary>Col2Im: columns of windows are added up where they overlap.</summary>
    public static OnnxValue?[] Col2Im(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int[] image = Shapes.Extents(call, call.Longs(1)!), block = Shapes.Extents(call, call.Longs(2)!);
        var windows = Windows.Of(call, image, block);
        int kernels = windows.KernelCount, outputs = windows.OutputCount, pixels = windows.InputCount;
        if (x.Rank != 3 || x.Dims[1] % kernels != 0 || x.Dims[2] != outputs)
        {
            throw call.Error($"columns [N, C * {kernels}, {outputs}]", x.ToString());
        }

        int[] places = windows.Places();
        int planes = x.Dims[0] * (x.Dims[1] / kernels);
        return HostCall.One(Numbers.Dispatch(x.ElementType, new Col2ImAction(x, places, planes, pixels))
            .WithDims([x.Dims[0], x.Dims[1] / kernels, .. image]));
    }

    private readonly struct Col2ImAction(OnnxTensor x, int[] places, int planes, int pixels) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] from = x.Array<T>();
            var to = new T[Shapes.Product([planes, pixels])];
            for (int plane = 0; plane < planes; plane++)
            {
                for (int i = 0; i < places.Length; i++)
                {
                    if (places[i] >= 0)
                    {
                        to[(plane * pixels) + places[i]] += from[(plane * places.Length) + i];
                    }
                }
            }

            return new OnnxTensor(x.ElementType, [to.Length], to);
        }
    }

    /// <summary>DeformConv: every place of a window is moved by an offset and read by bilinear interpolation (Dai et al.,
    /// 2017).</summary>
    public static OnnxValue?[] DeformConv(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), weight = call.Tensor(1), offset = call.Tensor(2);
        if (x.Rank != 4)
        {
            throw call.Unsupported("DeformConv of other than two spatial axes");
        }

        int groups = Groups(call, x, weight, transposed: false), moved = (int)call.Int("offset_group", 1);
        var windows = Windows.Of(call, x.Dims.AsSpan(2), weight.Dims.AsSpan(2));
        double[] from = Numbers.Doubles(x), by = Numbers.Doubles(offset), filter = Numbers.Doubles(weight);
        double[]? bias = call.Optional(3) is { } b ? Numbers.Doubles(b) : null, mask = call.Optional(4) is { } m
            ? Numbers.Doubles(m) : null;
        int n = x.Dims[0], channels = x.Dims[1] / groups, filters = weight.Dims[0] / groups, h = x.Dims[2], w = x.Dims[3];
        int kernels = windows.KernelCount, outputs = windows.OutputCount, kw = windows.Axes[1].Kernel,
            ow = windows.Axes[1].Output;
        int perMove = x.Dims[1] / moved;
        var to = new double[Shapes.Product([n, weight.Dims[0], outputs])];
        var columns = new double[Shapes.Product([channels, kernels, outputs])];
        for (int image = 0; image < n; image++)
        {
            for (int g = 0; g < groups; g++)
            {
                for (int c = 0, at = 0; c < channels; c++)
                {
                    int channel = (g * channels) + c, move = channel / perMove;
                    ReadOnlySpan<double> plane = from.AsSpan(((image * x.Dims[1]) + channel) * h * w, h * w);
                    for (int k = 0; k < kernels; k++)
                    {
                        int row = ((image * moved) + move) * kernels;
                        for (int o = 0; o < outputs; o++, at++)
                        {
                            double y = windows.Axes[0].Place(o / ow, k / kw) + by[((((row + k) * 2) + 0) * outputs) + o];
                            double z = windows.Axes[1].Place(o % ow, k % kw) + by[((((row + k) * 2) + 1) * outputs) + o];
                            columns[at] = Bilinear(plane, h, w, y, z) * (mask is null ? 1 : mask[((row + k) * outputs) + o]);
                        }
                    }
                }

                int depth = channels * kernels;
                Span<double> result = to.AsSpan(((image * groups) + g) * filters * outputs, filters * outputs);
                for (int f = 0; f < filters && bias is not null; f++)
                {
                    result.Slice(f * outputs, outputs).Fill(bias[(g * filters) + f]);
                }

                Products.Multiply(filter.AsSpan(g * filters * depth, filters * depth), columns, result, filters, depth, outputs);
            }
        }

        var dims = new int[] { n, weight.Dims[0], windows.Axes[0].Output, ow };
        return HostCall.One(Numbers.Convert(new OnnxTensor(OnnxElementType.Float64, dims, to), x.ElementType));
    }

    private static double Bilinear(ReadOnlySpan<double> plane, int h, int w, double y, double x)
    {
        int y0 = (int)Math.Floor(y), x0 = (int)Math.Floor(x);
        double fy = y - y0, fx = x - x0, sum = 0;
        for (int i = 0; i < 4; i++)
        {
            int r = y0 + (i >> 1), c = x0 + (i & 1);
            if (r >= 0 && r < h && c >= 0 && c < w)
            {
                sum += plane[(r * w) + c] * ((i >> 1) == 0 ? 1 - fy : fy) * ((i & 1) == 0 ? 1 - fx : fx);
            }
        }

        return sum;
    }
}
