namespace FastNN.Kernels;

/// <summary>
/// The sizes of a two-dimensional pooling, checked once: x [N,H,W,C] gives y [N,OH,OW,C]. Rules and defaults are those of
/// PyTorch's MaxPool2d and AvgPool2d, plus TensorFlow's "same" padding.
/// </summary>
internal readonly record struct Pool2DGeometry
{
    private Pool2DGeometry(
        int n, int c, WindowAxis vertical, WindowAxis horizontal, bool countIncludePad, int divisorOverride)
    {
        N = n;
        C = c;
        Vertical = vertical;
        Horizontal = horizontal;
        CountIncludePad = countIncludePad;
        DivisorOverride = divisorOverride;
    }

    public int N { get; }

    public int C { get; }

    public WindowAxis Vertical { get; }

    public WindowAxis Horizontal { get; }

    /// <summary>Average only: padding counts as zeros that are averaged in.</summary>
    public bool CountIncludePad { get; }

    /// <summary>Average only: the divisor for every window; 0 = the window's own count.</summary>
    public int DivisorOverride { get; }

    public int H => Vertical.Input;

    public int W => Horizontal.Input;

    public int OH => Vertical.Output;

    public int OW => Horizontal.Output;

    public TensorType OutputType => new(new Shape(N, OH, OW, C));

    public long InputCount => (long)N * H * W * C;

    public long OutputCount => (long)N * OH * OW * C;

    /// <summary>True when no input element belongs to two windows: backward then writes each element once.</summary>
    public bool IsDisjoint => Vertical.IsDisjoint && Horizontal.IsDisjoint;

    /// <summary>True when one window covers the whole image.</summary>
    public bool IsGlobal =>
        OH == 1 && OW == 1 && Vertical.Taps == H && Horizontal.Taps == W && Vertical.IsInside && Horizontal.IsInside
        && Vertical.Dilation == 1 && Horizontal.Dilation == 1;

    /// <summary>Checks the sizes of a maximum pooling and computes padding and output size.</summary>
    /// <exception cref="ShapeException">
    /// A size other than the batch's is not positive, the window does not fit, its padding exceeds half of it, or it has more
    /// than 65 535 taps.
    /// </exception>
    public static Pool2DGeometry Max(
        int n, int h, int w, int c, int kh, int kw, int strideH, int strideW, Padding2D padding,
        int dilationH = 1, int dilationW = 1, bool ceilMode = false)
    {
        const string operation = "MaxPool2D";
        Pool2DGeometry geometry = Create(
            operation, n, h, w, c, kh, kw, strideH, strideW, padding, dilationH, dilationW, ceilMode, true, 0);
        if ((long)kh * kw > ushort.MaxValue)
        {
            throw new ShapeException($"{operation}: a window of {kh}x{kw} has more than {ushort.MaxValue} taps.");
        }
        return geometry;
    }

    /// <summary>Checks the sizes of an average pooling and computes padding and output size.</summary>
    /// <exception cref="ShapeException">A size other than the batch's is not positive, or the window does not fit, or its padding
    /// exceeds half of it.</exception>
    public static Pool2DGeometry Average(
        int n, int h, int w, int c, int kh, int kw, int strideH, int strideW, Padding2D padding,
        bool ceilMode = false, bool countIncludePad = true, int divisorOverride = 0)
    {
        const string operation = "AvgPool2D";
        if (divisorOverride < 0)
        {
            throw new ShapeException(
                $"{operation}: the divisor must be positive, or 0 for the window's own, got {divisorOverride}.");
        }
        return Create(
            operation, n, h, w, c, kh, kw, strideH, strideW, padding, 1, 1, ceilMode, countIncludePad, divisorOverride);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"x [{N},{H},{W},{C}], window {Vertical.Taps}x{Horizontal.Taps}, y [{N},{OH},{OW},{C}], stride " +
        $"{Vertical.Stride}x{Horizontal.Stride}, padding {Vertical.PadBefore}+{Vertical.PadAfter} x " +
        $"{Horizontal.PadBefore}+{Horizontal.PadAfter}";

    private static Pool2DGeometry Create(
        string operation, int n, int h, int w, int c, int kh, int kw, int strideH, int strideW, Padding2D padding,
        int dilationH, int dilationW, bool ceilMode, bool countIncludePad, int divisorOverride)
    {
        // An empty batch gives an empty output, as in PyTorch.
        if (n < 0 || c <= 0)
        {
            throw new ShapeException(
                $"{operation}: expected a batch of at least 0 images with at least 1 channel, got {n} images and {c} channels.");
        }
        WindowAxis vertical = Axis(
            operation, "height", h, kh, strideH, dilationH, padding.IsSame, padding.Top, padding.Bottom, ceilMode);
        WindowAxis horizontal = Axis(
            operation, "width", w, kw, strideW, dilationW, padding.IsSame, padding.Left, padding.Right, ceilMode);
        if ((double)n * h * w * c > 1L << 48 || (double)n * vertical.Output * horizontal.Output * c > 1L << 48)
        {
            throw new ShapeException($"{operation}: input [{n},{h},{w},{c}] or its output has too many elements.");
        }
        return new Pool2DGeometry(n, c, vertical, horizontal, countIncludePad, divisorOverride);
    }

    /// <summary>One axis of a pooling, checked.</summary>
    /// <exception cref="ShapeException">
    /// The window does not fit, its padding exceeds half of it, or it meets no input.
    /// </exception>
    public static WindowAxis Axis(
        string operation, string name, int input, int taps, int stride, int dilation, bool same, int before, int after,
        bool ceilMode)
    {
        WindowAxis axis = same
            ? WindowAxis.Same(operation, name, input, taps, stride, dilation)
            : WindowAxis.Create(operation, name, input, taps, stride, dilation, before, after, ceilMode);
        if (!same && Math.Max(before, after) > axis.Extent / 2)
        {
            throw new ShapeException(
                $"{operation}: padding {before} + {after} of the {name} exceeds half of the window's {axis.Extent}.");
        }
        for (int o = 0; o < axis.Output; o++)
        {
            long start = ((long)o * stride) - axis.PadBefore;
            if (start >= 0 && start + axis.Extent <= input)
            {
                // All windows up to the last that ends within the input lie inside, and there may be 2^31 of them.
                o = (int)Math.Min(axis.Output, ((long)input - axis.Extent + axis.PadBefore) / stride);
                continue;
            }

            // Only dilation can step over a small input; such a window has no maximum.
            (int first, int end) = axis.ValidTaps(o);
            if (first == end)
            {
                throw new ShapeException($"{operation}: window {o} of the {name} of {input} lies wholly in the padding.");
            }
        }
        return axis;
    }
}
