using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>Convolutions, transposed ones and poolings of three spatial axes.</summary>
internal static class VolumeRules
{
    /// <param name="call">The node.</param>
    /// <param name="isDirect">Whether sums of integers have to be exact.</param>
    public static Traced?[]? Conv(TraceCall call, bool isDirect)
    {
        if (call.FloatInput(0) is not { Rank: 5 } x || call.FloatConstant(1) is not { Rank: 5 } weight
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

        Value y = x.Last.Convolve3D(
            call.Permuted(weight, 2, 3, 4, 1, 0),
            call.FloatConstant(2) is { } bias ? call.Graph.Constant(bias.Array<float>(), new Shape(bias.Count)) : null,
            Size(windows, axis => axis.Stride), Padding(windows), Size(windows, axis => axis.Dilation), groups, isDirect);
        return [Traced.OfLast(y, x.Type, [x.Dims[0], weight.Dims[0], .. windows.OutputDims])];
    }

    public static Traced?[]? ConvTranspose(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: 5 } x || call.FloatConstant(1) is not { Rank: 5 } weight
            || (call.Has(2) && call.FloatConstant(2) is null))
        {
            return null;
        }

        int groups = (int)call.Host.Int("group", 1);
        if (groups < 1 || weight.Dims[0] != x.Dims[1] || x.Dims[1] % groups != 0)
        {
            return null;
        }

        var windows = Convolutions.TransposedWindows(call.Host, x.Dims, weight.Dims);
        long[] extra = Windows.List(call.Host, "output_padding", 3, 0);
        if (windows.Axes.Where((axis, i) => !WindowRules.Covers(axis, extra[i]) || axis.Before != axis.After).Any())
        {
            return null;
        }

        Value y = x.Last.ConvTranspose3D(
            call.Permuted(weight, 2, 3, 4, 1, 0),
            call.FloatConstant(2) is { } bias ? call.Graph.Constant(bias.Array<float>(), new Shape(bias.Count)) : null,
            Size(windows, axis => axis.Stride), Size(windows, axis => axis.Before),
            new Size3D((int)extra[0], (int)extra[1], (int)extra[2]), Size(windows, axis => axis.Dilation), groups);
        int[] dims = [x.Dims[0], weight.Dims[1] * groups, .. windows.Axes.Select(axis => axis.Input)];
        return [Traced.OfLast(y, x.Type, dims)];
    }

    public static Traced?[]? MaxPool(TraceCall call)
    {
        if (Pooling(call) is not var (x, windows) || call.Host.Wants(1))
        {
            return null;
        }

        Value y = x.Last.MaxPool3D(Size(windows, axis => axis.Kernel), Size(windows, axis => axis.Stride), Padding(windows),
            Size(windows, axis => axis.Dilation), call.Host.Flag("ceil_mode"));
        return [Traced.OfLast(y, x.Type, [x.Dims[0], x.Dims[1], .. windows.OutputDims])];
    }

    public static Traced?[]? AveragePool(TraceCall call)
    {
        if (Pooling(call) is not var (x, windows) || Array.Exists(windows.Axes, axis => axis.Dilation != 1))
        {
            return null;
        }

        Value y = x.Last.AvgPool3D(Size(windows, axis => axis.Kernel), Size(windows, axis => axis.Stride), Padding(windows),
            call.Host.Flag("ceil_mode"), call.Host.Flag("count_include_pad"));
        return [Traced.OfLast(y, x.Type, [x.Dims[0], x.Dims[1], .. windows.OutputDims])];
    }

    private static (Traced X, Windows Windows)? Pooling(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: 5 } x || call.Host.Ints("kernel_shape") is not { Length: 3 } kernel)
        {
            return null;
        }

        var windows = Windows.Of(call.Host, x.Dims.AsSpan(2), Shapes.Extents(call.Host, kernel), isPooling: true);
        return windows.OutputCount > 0 && windows.Inside(call.Host.Flag("count_include_pad")) is { } inside
            ? (x, inside)
            : null;
    }

    private static Size3D Size(Windows windows, Func<WindowAxis, int> of) =>
        new(of(windows.Axes[0]), of(windows.Axes[1]), of(windows.Axes[2]));

    private static Padding3D Padding(Windows windows) => Padding3D.Explicit(
        windows.Axes[0].Before, windows.Axes[0].After, windows.Axes[1].Before, windows.Axes[1].After, windows.Axes[2].Before,
        windows.Axes[2].After);
}
