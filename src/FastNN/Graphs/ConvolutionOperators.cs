using FastNN.Ops;

namespace FastNN;

/// <content>Convolutions: channels last, cross-correlation as in every framework.</content>
public static partial class Operators
{
    /// <summary>One-dimensional convolution, as PyTorch's conv1d.</summary>
    /// <param name="x">[N, L, C].</param>
    /// <param name="weight">[K, C / groups, OC].</param>
    /// <param name="bias">[OC] or null.</param>
    /// <param name="stride">Default 1.</param>
    /// <param name="padding">Default valid (none).</param>
    /// <param name="dilation">Default 1.</param>
    /// <param name="groups">Divides C and OC; default 1.</param>
    /// <returns>[N, OL, OC].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value Conv1D(
        this Value x, Value weight, Value? bias = null, int stride = 1, Padding1D padding = default, int dilation = 1,
        int groups = 1)
    {
        var options = new ConvolutionOptions(
            WindowOptions.None, WindowOptions.None, new WindowOptions(stride, dilation, padding.Left, padding.Right),
            padding.IsSame, groups);
        return x.Convolve(new ConvolutionOp(1, options), weight, bias);
    }

    /// <summary>Two-dimensional convolution, as PyTorch's conv2d.</summary>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="weight">[KH, KW, C / groups, OC].</param>
    /// <param name="bias">[OC] or null.</param>
    /// <param name="stride">Rows and columns; default 1.</param>
    /// <param name="padding">Default valid (none).</param>
    /// <param name="dilation">Rows and columns; default 1.</param>
    /// <param name="groups">Divides C and OC; default 1. As many as C is a depthwise convolution.</param>
    /// <returns>[N, OH, OW, OC].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value Conv2D(
        this Value x, Value weight, Value? bias = null, Size2D? stride = null, Padding2D padding = default,
        Size2D? dilation = null, int groups = 1) =>
        x.Convolve2D(weight, bias, stride ?? 1, padding, dilation ?? 1, groups, isDirect: false);

    /// <summary><see cref="Conv2D"/>, and <see cref="ConvolutionOptions.IsDirect"/>.</summary>
    internal static Value Convolve2D(
        this Value x, Value weight, Value? bias, Size2D stride, Padding2D padding, Size2D dilation, int groups, bool isDirect)
    {
        var options = new ConvolutionOptions(
            WindowOptions.None, new WindowOptions(stride.Rows, dilation.Rows, padding.Top, padding.Bottom),
            new WindowOptions(stride.Columns, dilation.Columns, padding.Left, padding.Right), padding.IsSame, groups)
        {
            IsDirect = isDirect,
        };
        return x.Convolve(new ConvolutionOp(2, options), weight, bias);
    }

    /// <summary>Three-dimensional convolution, as PyTorch's conv3d.</summary>
    /// <param name="x">[N, D, H, W, C].</param>
    /// <param name="weight">[KD, KH, KW, C / groups, OC].</param>
    /// <param name="bias">[OC] or null.</param>
    /// <param name="stride">Planes, rows and columns; default 1.</param>
    /// <param name="padding">Default valid (none).</param>
    /// <param name="dilation">Planes, rows and columns; default 1.</param>
    /// <param name="groups">Divides C and OC; default 1.</param>
    /// <returns>[N, OD, OH, OW, OC].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value Conv3D(
        this Value x, Value weight, Value? bias = null, Size3D? stride = null, Padding3D padding = default,
        Size3D? dilation = null, int groups = 1) =>
        x.Convolve3D(weight, bias, stride ?? 1, padding, dilation ?? 1, groups, isDirect: false);

    /// <summary><see cref="Conv3D"/>, and <see cref="ConvolutionOptions.IsDirect"/>.</summary>
    internal static Value Convolve3D(
        this Value x, Value weight, Value? bias, Size3D stride, Padding3D padding, Size3D dilation, int groups, bool isDirect) =>
        x.Convolve(
            new ConvolutionOp(3, Volume(stride, padding, dilation, groups, 0) with { IsDirect = isDirect }), weight, bias);

    /// <summary>
    /// One-dimensional transposed convolution, as PyTorch's conv_transpose1d: the gradient of <see cref="Conv1D"/> by its data.
    /// </summary>
    /// <param name="x">[N, L, C].</param>
    /// <param name="weight">[K, OC / groups, C].</param>
    /// <param name="bias">[OC] or null.</param>
    /// <param name="stride">Default 1.</param>
    /// <param name="padding">Positions by which the output is shortened at each end; default 0.</param>
    /// <param name="outputPadding">Positions more behind, fewer than the stride or the dilation; default 0.</param>
    /// <param name="dilation">Default 1.</param>
    /// <param name="groups">Divides C; default 1.</param>
    /// <returns>[N, (L - 1) stride - 2 padding + dilation (K - 1) + outputPadding + 1, OC].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value ConvTranspose1D(
        this Value x, Value weight, Value? bias = null, int stride = 1, int padding = 0, int outputPadding = 0, int dilation = 1,
        int groups = 1)
    {
        var options = new ConvolutionOptions(
            WindowOptions.None, WindowOptions.None, new WindowOptions(stride, dilation, padding, padding, outputPadding), false,
            groups);
        return x.Convolve(new ConvTransposeOp(1, options), weight, bias);
    }

    /// <summary>
    /// Two-dimensional transposed convolution, as PyTorch's conv_transpose2d: the gradient of <see cref="Conv2D"/> by its data.
    /// </summary>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="weight">[KH, KW, OC / groups, C].</param>
    /// <param name="bias">[OC] or null.</param>
    /// <param name="stride">Rows and columns; default 1.</param>
    /// <param name="padding">By which the output is smaller at each border, rows and columns; default 0.</param>
    /// <param name="outputPadding">Rows more below and columns more at the right, fewer than the stride or the dilation;
    /// default 0.</param>
    /// <param name="dilation">Rows and columns; default 1.</param>
    /// <param name="groups">Divides C; default 1.</param>
    /// <returns>[N, OH, OW, OC], where OH = (H - 1) stride - 2 padding + dilation (KH - 1) + outputPadding + 1.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value ConvTranspose2D(
        this Value x, Value weight, Value? bias = null, Size2D? stride = null, Size2D? padding = null,
        Size2D? outputPadding = null, Size2D? dilation = null, int groups = 1)
    {
        (Size2D step, Size2D spread, Size2D pad, Size2D more) = (stride ?? 1, dilation ?? 1, padding ?? 0, outputPadding ?? 0);
        var options = new ConvolutionOptions(
            WindowOptions.None, new WindowOptions(step.Rows, spread.Rows, pad.Rows, pad.Rows, more.Rows),
            new WindowOptions(step.Columns, spread.Columns, pad.Columns, pad.Columns, more.Columns), false, groups);
        return x.Convolve(new ConvTransposeOp(2, options), weight, bias);
    }

    /// <summary>
    /// Three-dimensional transposed convolution, as PyTorch's conv_transpose3d: the gradient of <see cref="Conv3D"/> by its data.
    /// </summary>
    /// <param name="x">[N, D, H, W, C].</param>
    /// <param name="weight">[KD, KH, KW, OC / groups, C].</param>
    /// <param name="bias">[OC] or null.</param>
    /// <param name="stride">Planes, rows and columns; default 1.</param>
    /// <param name="padding">By which the output is smaller at each face, planes, rows and columns; default 0.</param>
    /// <param name="outputPadding">Planes, rows and columns more behind, fewer than the stride or the dilation; default
    /// 0.</param>
    /// <param name="dilation">Planes, rows and columns; default 1.</param>
    /// <param name="groups">Divides C; default 1.</param>
    /// <returns>[N, OD, OH, OW, OC], where OD = (D - 1) stride - 2 padding + dilation (KD - 1) + outputPadding + 1.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value ConvTranspose3D(
        this Value x, Value weight, Value? bias = null, Size3D? stride = null, Size3D? padding = null,
        Size3D? outputPadding = null, Size3D? dilation = null, int groups = 1)
    {
        Size3D pad = padding ?? 0;
        ConvolutionOptions options = Volume(
            stride ?? 1, Padding3D.Symmetric(pad.Planes, pad.Rows, pad.Columns), dilation ?? 1, groups, outputPadding ?? 0);
        return x.Convolve(new ConvTransposeOp(3, options), weight, bias);
    }

    /// <summary>
    /// The windows of images beside each other, PyTorch's unfold (im2col) with channels last: a window's elements are in the
    /// order of the kernel's rows, its columns, the channels, where PyTorch has [N, C * KH * KW, L] with the channels
    /// outermost.
    /// </summary>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="kernel">Rows and columns of a window.</param>
    /// <param name="stride">From window to window; default 1.</param>
    /// <param name="padding">Zeros around the images; default none.</param>
    /// <param name="dilation">From tap to tap; default 1.</param>
    /// <returns>[N, OH * OW, KH * KW * C], the windows row by row.</returns>
    /// <exception cref="ShapeException">x is not a batch of images, or the window does not fit.</exception>
    public static Value Unfold(
        this Value x, Size2D kernel, Size2D? stride = null, Padding2D padding = default, Size2D? dilation = null) =>
        x.Graph.Add(new UnfoldOp(new FoldOptions(kernel, stride ?? 1, padding, dilation ?? 1)), x);

    /// <summary>
    /// Images as sums of windows, PyTorch's fold (col2im) with channels last: the transpose of <see cref="Unfold"/>, in whose
    /// order the windows come. Where windows overlap their elements add up.
    /// </summary>
    /// <param name="x">[N, OH * OW, KH * KW * C].</param>
    /// <param name="output">H and W of the images.</param>
    /// <param name="kernel">Rows and columns of a window.</param>
    /// <param name="stride">From window to window; default 1.</param>
    /// <param name="padding">Zeros around the images, which are cut off; default none.</param>
    /// <param name="dilation">From tap to tap; default 1.</param>
    /// <returns>[N, H, W, C].</returns>
    /// <exception cref="ShapeException">The images have other windows than x.</exception>
    public static Value Fold(
        this Value x, Size2D output, Size2D kernel, Size2D? stride = null, Padding2D padding = default,
        Size2D? dilation = null) =>
        x.Graph.Add(new FoldWindowsOp(output, new FoldOptions(kernel, stride ?? 1, padding, dilation ?? 1)), x);

    private static ConvolutionOptions Volume(
        Size3D stride, Padding3D padding, Size3D dilation, int groups, Size3D outputPadding) =>
        new(
            new WindowOptions(stride.Planes, dilation.Planes, padding.Front, padding.Back, outputPadding.Planes),
            new WindowOptions(stride.Rows, dilation.Rows, padding.Top, padding.Bottom, outputPadding.Rows),
            new WindowOptions(stride.Columns, dilation.Columns, padding.Left, padding.Right, outputPadding.Columns),
            padding.IsSame, groups);

    private static Value Convolve(this Value x, Operator op, Value weight, Value? bias) =>
        bias is null ? x.Graph.Add(op, x, weight) : x.Graph.Add(op, x, weight, bias);
}
