using FastNN.Onnx.Compile;
using FastNN.Onnx.Host;

namespace FastNN.Onnx.Train;

/// <summary>
/// Poolings of one to three axes. The engine pads by half of a window at most; what files pad beyond that is put around the image
/// first.
/// </summary>
internal static class TrainPools
{
    public static Traced?[]? Record(TraceCall call, bool maximum)
    {
        if (call.FloatInput(0) is not { Rank: >= 3 and <= 5 } x || call.Host.Ints("kernel_shape") is not { } kernel
            || kernel.Length != x.Rank - 2 || call.Host.Wants(1))
        {
            return null;
        }

        var windows = Windows.Of(call.Host, x.Dims.AsSpan(2), Shapes.Extents(call.Host, kernel), isPooling: true);
        bool counts = call.Host.Flag("count_include_pad");
        if (windows.Inside(counts) is not { } inside)
        {
            return null;
        }

        Host.WindowAxis[] a = inside.Axes;
        bool fits = Array.TrueForAll(a, axis =>
            2 * Math.Max(axis.Before, axis.After) <= ((axis.Kernel - 1) * axis.Dilation) + 1);
        if (fits && x.Rank < 5)
        {
            return maximum ? WindowRules.MaxPool(call) : WindowRules.AveragePool(call);
        }

        if (windows.OutputCount == 0 || call.Host.Flag("ceil_mode")
            || (!maximum && (Array.Exists(a, axis => axis.Dilation != 1) || (!fits && !counts))))
        {
            return null;
        }

        Value image = x.Last;
        if (!fits)
        {
            image = image.Pad(
                [0, 0, .. a.Reverse().SelectMany(axis => new[] { axis.Before, axis.After })], PadMode.Constant,
                maximum ? float.NegativeInfinity : 0);
            a = Array.ConvertAll(a, axis => axis with { Before = 0, After = 0 });
        }

        return [Traced.OfLast(Pool(image, a, maximum, counts), x.Type, [x.Dims[0], x.Dims[1], .. windows.OutputDims])];
    }

    private static Value Pool(Value image, Host.WindowAxis[] a, bool maximum, bool counts) => (a.Length, maximum) switch
    {
        (1, true) => image.MaxPool1D(a[0].Kernel, a[0].Stride, 0, a[0].Dilation),
        (1, false) => image.AvgPool1D(a[0].Kernel, a[0].Stride),
        (2, true) => image.MaxPool2D(
            (a[0].Kernel, a[1].Kernel), (Size2D)(a[0].Stride, a[1].Stride), default, (Size2D)(a[0].Dilation, a[1].Dilation)),
        (2, false) => image.AvgPool2D((a[0].Kernel, a[1].Kernel), (Size2D)(a[0].Stride, a[1].Stride)),
        (_, true) => image.MaxPool3D(
            (a[0].Kernel, a[1].Kernel, a[2].Kernel), (Size3D)(a[0].Stride, a[1].Stride, a[2].Stride), Padding(a),
            (Size3D)(a[0].Dilation, a[1].Dilation, a[2].Dilation)),
        _ => image.AvgPool3D(
            (a[0].Kernel, a[1].Kernel, a[2].Kernel), (Size3D)(a[0].Stride, a[1].Stride, a[2].Stride), Padding(a),
            countIncludePad: counts),
    };

    private static Padding3D Padding(Host.WindowAxis[] a) =>
        Padding3D.Explicit(a[0].Before, a[0].After, a[1].Before, a[1].After, a[2].Before, a[2].After);
}
