using FastNN.Kernels;
using FastNN.Onnx.Model;
using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Poolings of images, and images read at places of a grid.</summary>
internal static class PoolingExports
{
    public static void Max(ExportCall call)
    {
        var op = (MaxPool2DOp)call.Op;
        string y = op.Options.Global
            ? call.Emit.Op("GlobalMaxPool", call.X.First)
            : call.Emit.Add("MaxPool", [call.X.First], Attributes(call, op.Options, maximum: true, out _));
        call.First(op.HasReLU ? call.Emit.Op("Relu", y) : y);
    }

    public static void Average(ExportCall call)
    {
        Pool2DOptions options = ((AvgPool2DOp)call.Op).Options;
        if (options.Global && options.DivisorOverride == 0)
        {
            call.First(call.Emit.Op("GlobalAveragePool", call.X.First));
            return;
        }

        AttributeDef[] attributes = Attributes(call, options, maximum: false, out float[]? factors);
        string y = call.Emit.Add("AveragePool", [call.X.First], attributes);
        if (factors is not null)
        {
            Shape to = call.Type().Shape;
            y = call.Emit.Op("Mul", y, call.Emit.Floats(factors, to[1], to[2]));
        }

        call.First(y);
    }

    public static void GridSample(ExportCall call)
    {
        var op = (GridSampleOp)call.Op;
        string mode = op.IsNearest ? "nearest" : call.Opset >= 20 ? "linear" : "bilinear";
        call.First(call.Emit.Add(
            "GridSample", [call.X.First, call.Input(1).Plain], Attribute("mode", mode),
            Attribute("padding_mode", op.Padding switch
            {
                GridPadding.Zeros => "zeros",
                GridPadding.Border => "border",
                _ => "reflection",
            }),
            Attribute("align_corners", op.AlignCorners ? 1 : 0)));
    }

    /// <summary>
    /// The windows. Where the sizes are known, those that reach beyond the padding (PyTorch's ceil_mode) are written as more
    /// padding, of which runtimes have one idea.
    /// </summary>
    /// <param name="factors">What means are to be multiplied with, where they count otherwise than ONNX; else null.</param>
    private static AttributeDef[] Attributes(ExportCall call, Pool2DOptions options, bool maximum, out float[]? factors)
    {
        Shape x = call.X.Shape;
        factors = null;
        var attributes = new List<AttributeDef>();
        if (x[1..3].IsSymbolic)
        {
            if (options.DivisorOverride != 0 || options.Global)
            {
                throw call.Refuse("with a divisor of its own height and width must be numbers");
            }

            attributes.Add(Attribute("kernel_shape", [options.KernelH, options.KernelW]));
            attributes.Add(Attribute("strides", [options.StrideH, options.StrideW]));
            attributes.Add(options.Padding.IsSame
                ? Attribute("auto_pad", "SAME_UPPER")
                : ConvolutionExports.Pads([(options.Padding.Top, options.Padding.Bottom), (options.Padding.Left,
                    options.Padding.Right)]));
            attributes.Add(Attribute("ceil_mode", options.CeilMode ? 1 : 0));
            if (maximum)
            {
                attributes.Add(Attribute("dilations", [options.DilationH, options.DilationW]));
            }
            else
            {
                attributes.Add(Attribute("count_include_pad", options.CountIncludePad ? 1 : 0));
            }

            return [.. attributes];
        }

        Pool2DGeometry geometry = options.Resolve(
            call.Op.Name, [new TensorType(new Shape(1, x[1], x[2], Dim.IsSymbol(x[3]) ? 1 : x[3]))], maximum);
        (WindowAxis rows, WindowAxis columns) = (geometry.Vertical, geometry.Horizontal);
        attributes.Add(Attribute("kernel_shape", [rows.Taps, columns.Taps]));
        attributes.Add(Attribute("strides", [rows.Stride, columns.Stride]));
        attributes.Add(ConvolutionExports.Pads([(rows.PadBefore, Behind(rows)), (columns.PadBefore, Behind(columns))]));
        if (maximum)
        {
            attributes.Add(Attribute("dilations", [rows.Dilation, columns.Dilation]));
        }
        else
        {
            bool counts = options.CountIncludePad || options.DivisorOverride != 0;
            attributes.Add(Attribute("count_include_pad", counts ? 1 : 0));
            factors = counts ? Factors(rows, columns, options.DivisorOverride) : null;
        }

        return [.. attributes];
    }

    /// <summary>Padding up to the end of the last window.</summary>
    public static int Behind(WindowAxis axis) =>
        Math.Max(0, ((axis.Output - 1) * axis.Stride) + axis.Extent - axis.Input - axis.PadBefore);

    /// <summary>ONNX divides by the whole window, PyTorch by what of it lies on the input and its padding.</summary>
    private static float[]? Factors(WindowAxis rows, WindowAxis columns, int divisor)
    {
        var factors = new float[rows.Output * columns.Output];
        bool differs = false;
        for (int i = 0; i < rows.Output; i++)
        {
            for (int j = 0; j < columns.Output; j++)
            {
                float counted = divisor != 0 ? divisor : (float)Counted(rows, i) * Counted(columns, j);
                float factor = rows.Taps * columns.Taps / counted;
                factors[(i * columns.Output) + j] = factor;
                differs |= factor != 1;
            }
        }

        return differs ? factors : null;
    }

    private static int Counted(WindowAxis axis, int output) =>
        Math.Min(axis.Start(output) + axis.Taps, axis.Input + axis.PadAfter) - axis.Start(output);
}
