using FastNN.Kernels;
using FastNN.Onnx.Model;
using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Convolutions of one to three axes, transposed ones, and what unfolds and folds windows.</summary>
internal static class ConvolutionExports
{
    public static void Write(ExportCall call)
    {
        var op = (ConvolutionOp)call.Op;
        WindowOptions[] axes = Axes(op.Axes, op.Options);
        Shape x = call.X.Shape, weight = call.Input(1).Shape;
        var attributes = new List<AttributeDef>
        {
            Attribute("kernel_shape", Kernel(weight)),
            Attribute("strides", axes.Select(axis => (long)axis.Stride)),
            Attribute("dilations", axes.Select(axis => (long)axis.Dilation)),
            Attribute("group", op.Options.Groups),
        };
        if (!op.Options.IsSame)
        {
            attributes.Add(Pads([.. axes.Select(axis => (axis.PadBefore, axis.PadAfter))]));
        }
        else if (x[1..^1].IsSymbolic)
        {
            attributes.Add(Attribute("auto_pad", "SAME_UPPER"));
        }
        else
        {
            attributes.Add(Pads([.. axes.Select((axis, i) =>
            {
                var same = WindowAxis.Same("Conv", "axis", x[i + 1], weight[i], axis.Stride, axis.Dilation);
                return (same.PadBefore, same.PadAfter);
            })]));
        }

        string y = call.Emit.Add("Conv", Inputs(call, Filter(call.Input(1))), [.. attributes]);
        call.First(FunctionExports.Write(call.Emit, op.Activation, y));
    }

    public static void Transposed(ExportCall call)
    {
        var op = (ConvTransposeOp)call.Op;
        WindowOptions[] axes = Axes(op.Axes, op.Options);
        string y = call.Emit.Add(
            "ConvTranspose", Inputs(call, Filter(call.Input(1))), Attribute("kernel_shape", Kernel(call.Input(1).Shape)),
            Attribute("strides", axes.Select(axis => (long)axis.Stride)),
            Attribute("dilations", axes.Select(axis => (long)axis.Dilation)),
            Pads([.. axes.Select(axis => (axis.PadBefore, axis.PadAfter))]),
            Attribute("output_padding", axes.Select(axis => (long)axis.OutputPadding)),
            Attribute("group", op.Options.Groups));
        call.First(FunctionExports.Write(call.Emit, op.Activation, y));
    }

    /// <summary>Each element of a window is what a filter with a single one gives: a convolution channel by channel.</summary>
    public static void Unfold(ExportCall call)
    {
        FoldOptions options = ((UnfoldOp)call.Op).Options;
        Shape x = call.X.Shape, y = call.Type().Shape;
        if (x[1..].IsSymbolic)
        {
            throw call.Refuse("height, width and channels must be numbers");
        }

        Conv2DGeometry geometry = options.Geometry("Unfold", 1, x[1], x[2], x[3]);
        int taps = options.Kernel.Rows * options.Kernel.Columns, windows = geometry.OH * geometry.OW;
        string picked = call.Emit.Add("Conv", [call.X.First, Picks(call, x[3], options.Kernel)], Windows(geometry, x[3]));
        string apart = call.Emit.Op("Reshape", picked, call.Emit.Longs(0, x[3], taps, windows));
        call.Plain(call.Emit.Op(
            "Reshape", call.Emit.Transpose(apart, 0, 3, 2, 1), call.Emit.Longs(0, windows, y[2])));
    }

    /// <summary>The sums of windows are the transposed convolution with the same filters.</summary>
    public static void Fold(ExportCall call)
    {
        var op = (FoldWindowsOp)call.Op;
        FoldOptions options = op.Options;
        Shape x = call.X.Shape, y = call.Type().Shape;
        if (x[1..].IsSymbolic)
        {
            throw call.Refuse("windows and channels must be numbers");
        }

        Conv2DGeometry geometry = options.Geometry("Fold", 1, y[1], y[2], y[3]);
        int taps = options.Kernel.Rows * options.Kernel.Columns;
        string apart = call.Emit.Op(
            "Reshape", call.X.Plain, call.Emit.Longs(0, (long)geometry.OH * geometry.OW, taps, y[3]));
        string images = call.Emit.Op(
            "Reshape", call.Emit.Transpose(apart, 0, 3, 2, 1),
            call.Emit.Longs(0, (long)y[3] * taps, geometry.OH, geometry.OW));
        call.First(call.Emit.Add(
            "ConvTranspose", [images, Picks(call, y[3], options.Kernel)],
            [
                .. Windows(geometry, y[3]),
                Attribute("output_padding", [Rest(geometry.Vertical), Rest(geometry.Horizontal)]),
            ]));
    }

    /// <summary>Positions behind the last window.</summary>
    private static long Rest(WindowAxis axis) =>
        axis.Input - ((((long)axis.Output - 1) * axis.Stride) + axis.Extent - axis.PadBefore - axis.PadAfter);

    private static AttributeDef[] Windows(Conv2DGeometry geometry, int groups) =>
    [
        Attribute("kernel_shape", [geometry.Vertical.Taps, geometry.Horizontal.Taps]),
        Attribute("strides", [geometry.Vertical.Stride, geometry.Horizontal.Stride]),
        Attribute("dilations", [geometry.Vertical.Dilation, geometry.Horizontal.Dilation]),
        Pads([(geometry.Vertical.PadBefore, geometry.Vertical.PadAfter),
            (geometry.Horizontal.PadBefore, geometry.Horizontal.PadAfter)]),
        Attribute("group", groups),
    ];

    /// <summary>For each channel a filter per element of the window: [C KH KW, 1, KH, KW].</summary>
    private static string Picks(ExportCall call, int channels, Size2D kernel)
    {
        int taps = kernel.Rows * kernel.Columns;
        var filters = new float[channels * taps * taps];
        for (int i = 0; i < channels * taps; i++)
        {
            filters[(i * taps) + (i % taps)] = 1;
        }

        return call.Emit.Floats(filters, (long)channels * taps, 1, kernel.Rows, kernel.Columns);
    }

    /// <summary>[K..., C, OC] as [OC, C, K...].</summary>
    private static string Filter(ExportValue weight)
    {
        int rank = weight.Rank;
        int[] order = [rank - 1, rank - 2, .. Enumerable.Range(0, rank - 2)];
        return weight.Constant is { } constant ? constant.Arranged(order)
            : weight.Transposed(order);
    }

    private static string[] Inputs(ExportCall call, string filter) => call.InputCount > 2
        ? [call.X.First, filter, call.Input(2).Plain]
        : [call.X.First, filter];

    private static IEnumerable<long> Kernel(Shape weight) => weight[..^2].ToArray().Select(extent => (long)extent);

    private static WindowOptions[] Axes(int axes, ConvolutionOptions options) =>
        new[] { options.Depth, options.Rows, options.Columns }[^axes..];

    internal static AttributeDef Pads((int Before, int After)[] axes) =>
        Attribute("pads", [.. axes.Select(axis => (long)axis.Before), .. axes.Select(axis => (long)axis.After)]);
}
