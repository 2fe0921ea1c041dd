using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>Convolutions and poolings of one and two spatial axes; those of one axis are those of two with one row.</summary>
internal static class WindowRules
{
    public static Traced?[]? Conv(TraceCall call) => Conv(call, isDirect: false);

    /// <param name="call">The node.</param>
    /// <param name="isDirect">Whether sums of integers have to be exact.</param>
    public static Traced?[]? Conv(TraceCall call, bool isDirect)
    {
        if (call.TracedInput(0) is { Rank: 5 })
        {
            return VolumeRules.Conv(call, isDirect);
        }

        if (call.FloatInput(0) is not { Rank: 3 or 4 } x || call.FloatConstant(1) is not { } weight || weight.Rank != x.Rank
            || (call.Has(2) && call.FloatConstant(2) is null))
        {
            return null;
        }

        int groups = (int)call.Host.Int("group", 1);
        var windows = Windows.Of(call.Host, x.Dims.AsSpan(2), weight.Dims.AsSpan(2));
        if (groups <= 0 || weight.Dims[1] * groups != x.Dims[1] || weight.Dims[0] % groups != 0 || windows.OutputCount == 0)
        {
            return null;
        }

        float[] bias = call.FloatConstant(2)?.Array<float>() ?? new float[weight.Dims[0]];
        return [Conv(call, x, weight, bias, groups, windows, call.Has(2), isDirect)];
    }

    private static Traced Conv(TraceCall call, Traced x, OnnxTensor weight, float[] bias, int groups, Windows windows,
        bool hasBias, bool isDirect)
    {
        WindowAxis rows = Rows(windows), columns = windows.Axes[^1];
        OnnxTensor filters = weight.Rank == 3 ? weight.WithDims([weight.Dims[0], weight.Dims[1], 1, weight.Dims[2]]) : weight;
        Value y = Image(x).Convolve2D(
            call.Permuted(filters, 2, 3, 1, 0),
            hasBias ? call.Graph.Constant(bias, new Shape(bias.Length)) : null,
            new Size2D(rows.Stride, columns.Stride),
            Padding2D.Explicit(rows.Before, rows.After, columns.Before, columns.After),
            new Size2D(rows.Dilation, columns.Dilation), groups, isDirect);
        int[] dims = [x.Dims[0], weight.Dims[0], .. windows.OutputDims];
        return new Builder(y, dims).Traced(x.Type, rescaled: (scale, shift) =>
        {
            // Each filter by its scale; its bias by the scale and the shift on top.
            float[] scaled = (float[])weight.Array<float>().Clone(), moved = new float[bias.Length];
            int each = scaled.Length / bias.Length;
            for (int i = 0; i < scaled.Length; i++)
            {
                scaled[i] *= scale[i / each];
            }

            for (int f = 0; f < moved.Length; f++)
            {
                moved[f] = (bias[f] * scale[f]) + shift[f];
            }

            return Conv(
                call, x, new OnnxTensor(weight.ElementType, weight.Dims, scaled), moved, groups, windows, hasBias: true,
                isDirect);
        });
    }

    // A sequence is an image of one row.
    private static WindowAxis Rows(Windows windows) => windows.Axes.Length == 2 ? windows.Axes[0]
        : new WindowAxis(1, 1, 1, 1, 0, 0, 1);

    private static Value Image(Traced x) => x.Rank == 4 ? x.Last : x.Last.Reshape(new Shape(x.Dims[0], 1, x.Dims[2], x.Dims[1]));

    private readonly record struct Builder(Value Y, int[] Dims)
    {
        /// <summary>An image [N, H, W, C], or a sequence of it, as ONNX has it.</summary>
        public Traced Traced(OnnxElementType type, Func<float[], float[], Traced>? rescaled = null)
        {
            Value value = Dims.Length == 4 ? Y : Y.Reshape(new Shape(Dims[0], Dims[2], Dims[1]));
            return FastNN.Onnx.Compile.Traced.OfLast(value, type, Dims, rescaled);
        }
    }

    public static Traced?[]? ConvTranspose(TraceCall call)
    {
        if (call.TracedInput(0) is { Rank: 5 })
        {
            return VolumeRules.ConvTranspose(call);
        }

        if (call.FloatInput(0) is not { Rank: 3 or 4 } x || call.FloatConstant(1) is not { } weight || weight.Rank != x.Rank
            || (call.Has(2) && call.FloatConstant(2) is null))
        {
            return null;
        }

        int groups = (int)call.Host.Int("group", 1), spatial = x.Rank - 2;
        if (groups < 1 || weight.Dims[0] != x.Dims[1] || x.Dims[1] % groups != 0)
        {
            return null;
        }

        var windows = Convolutions.TransposedWindows(call.Host, x.Dims, weight.Dims);
        long[] extra = Windows.List(call.Host, "output_padding", spatial, 0);
        WindowAxis columns = windows.Axes[^1], rows = spatial == 2 ? windows.Axes[0] : new WindowAxis(1, 1, 1, 1, 0, 0, 1);
        (int top, int left) = (rows.Before, columns.Before);
        if (!Covers(rows, spatial == 2 ? extra[0] : 0) || !Covers(columns, extra[^1]))
        {
            return null;
        }

        // The engine's filter is that of the convolution whose gradient this is: [KH, KW, OC / groups, C].
        OnnxTensor filters = spatial == 2 ? weight : weight.WithDims([weight.Dims[0], weight.Dims[1], 1, weight.Dims[2]]);
        bool even = rows.Before == rows.After && columns.Before == columns.After;
        Value y = Image(x).ConvTranspose2D(
            call.Permuted(filters, 2, 3, 1, 0),
            call.FloatConstant(2) is { } bias ? call.Graph.Constant(bias.Array<float>(), new Shape(bias.Count)) : null,
            new Size2D(rows.Stride, columns.Stride), even ? new Size2D(top, left) : new Size2D(0, 0),
            new Size2D(spatial == 2 ? (int)extra[0] : 0, (int)extra[^1]), new Size2D(rows.Dilation, columns.Dilation), groups);
        if (!even)
        {
            y = y.Slice(1, top, top + rows.Input).Slice(2, left, left + columns.Input);
        }

        return [new Builder(y, [x.Dims[0], weight.Dims[1] * groups, .. windows.Axes.Select(axis => axis.Input)]).Traced(x.Type)];
    }

    /// <summary>Whether a transposed convolution's windows, without what is cut off, are the output that is asked for.</summary>
    public static bool Covers(WindowAxis axis, long outputPadding) =>
        ((axis.Output - 1) * axis.Stride) + ((axis.Kernel - 1) * axis.Dilation) + 1 + (int)outputPadding
            == axis.Input + axis.Before + axis.After;

    public static Traced?[]? MaxPool(TraceCall call)
    {
        if (call.TracedInput(0) is { Rank: 5 })
        {
            return VolumeRules.MaxPool(call);
        }

        if (Pooling(call) is not var (x, windows) || call.Host.Wants(1))
        {
            return null;
        }

        WindowAxis rows = Rows(windows), columns = windows.Axes[^1];
        Value y = Image(x).MaxPool2D(
            new Size2D(rows.Kernel, columns.Kernel), new Size2D(rows.Stride, columns.Stride),
            Padding2D.Explicit(rows.Before, rows.After, columns.Before, columns.After),
            new Size2D(rows.Dilation, columns.Dilation), call.Host.Flag("ceil_mode"));
        return [new Builder(y, [x.Dims[0], x.Dims[1], .. windows.OutputDims]).Traced(x.Type)];
    }

    public static Traced?[]? AveragePool(TraceCall call)
    {
        if (call.TracedInput(0) is { Rank: 5 })
        {
            return VolumeRules.AveragePool(call);
        }

        if (Pooling(call) is not var (x, windows) || Array.Exists(windows.Axes, axis => axis.Dilation != 1))
        {
            return null;
        }

        WindowAxis rows = Rows(windows), columns = windows.Axes[^1];
        if (IsWide(rows) || IsWide(columns))
        {
            return call.Host.Flag("ceil_mode") ? null : [PaddedAverage(call, x, windows, rows, columns)];
        }

        Value y = Image(x).AvgPool2D(
            new Size2D(rows.Kernel, columns.Kernel), new Size2D(rows.Stride, columns.Stride),
            Padding2D.Explicit(rows.Before, rows.After, columns.Before, columns.After),
            call.Host.Flag("ceil_mode"), call.Host.Flag("count_include_pad"));
        return [new Builder(y, [x.Dims[0], x.Dims[1], .. windows.OutputDims]).Traced(x.Type)];
    }

    /// <summary>Whether a window may lie in the padding for the larger part, as those of PyTorch's ceil_mode do.</summary>
    private static bool IsWide(WindowAxis axis) => 2 * Math.Max(axis.Before, axis.After) > axis.Kernel;

    /// <summary>Averages over zeros that are there, times what the whole window has of the elements that count.</summary>
    private static Traced PaddedAverage(TraceCall call, Traced x, Windows windows, WindowAxis rows, WindowAxis columns)
    {
        Value y = Image(x).Pad([0, 0, columns.Before, columns.After, rows.Before, rows.After]).AvgPool2D(
            new Size2D(rows.Kernel, columns.Kernel), new Size2D(rows.Stride, columns.Stride));
        if (!call.Host.Flag("count_include_pad"))
        {
            var factors = new float[rows.Output * columns.Output];
            for (int i = 0; i < factors.Length; i++)
            {
                int counted = Inside(rows, i / columns.Output) * Inside(columns, i % columns.Output);
                factors[i] = (float)(rows.Kernel * columns.Kernel) / counted;
            }

            y *= call.Graph.Constant(factors, new Shape(rows.Output, columns.Output, 1));
        }

        return new Builder(y, [x.Dims[0], x.Dims[1], .. windows.OutputDims]).Traced(x.Type);

        static int Inside(WindowAxis axis, int output) =>
            Math.Min(axis.Place(output, axis.Kernel), axis.Input) - Math.Max(axis.Place(output, 0), 0);
    }

    private static (Traced X, Windows Windows)? Pooling(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: 3 or 4 } x || call.Host.Ints("kernel_shape") is not { } kernel
            || kernel.Length != x.Rank - 2)
        {
            return null;
        }

        var windows = Windows.Of(call.Host, x.Dims.AsSpan(2), Shapes.Extents(call.Host, kernel), isPooling: true);
        return windows.OutputCount > 0 && windows.Inside(call.Host.Flag("count_include_pad")) is { } inside
            ? (x, inside)
            : null;
    }

    public static Traced?[]? LocalResponse(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: >= 3 } x || call.Host.Int("size", 1) is not (> 0 and var size))
        {
            return null;
        }

        Value y = x.Last.LocalResponseNorm(
            (int)size, call.Host.Float("alpha", 1e-4f), call.Host.Float("beta", 0.75f), call.Host.Float("bias", 1));

        // Of an even number of channels PyTorch has one more before, ONNX one more behind.
        return size % 2 == 1 ? [Traced.OfLast(y, x.Type, x.Dims)] : null;
    }
}
