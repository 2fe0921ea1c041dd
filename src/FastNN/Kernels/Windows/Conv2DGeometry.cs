namespace FastNN.Kernels;

/// <summary>
/// The sizes of a two-dimensional convolution, checked once: x [N,H,W,C] with filter [KH,KW,C/Groups,OC] gives
/// y [N,OH,OW,OC]. Cross-correlation, as in every framework: the filter is not flipped.
/// </summary>
internal readonly record struct Conv2DGeometry
{
    private Conv2DGeometry(int n, int c, int oc, int groups, WindowAxis vertical, WindowAxis horizontal)
    {
        N = n;
        C = c;
        OC = oc;
        Groups = groups;
        Vertical = vertical;
        Horizontal = horizontal;
    }

    public int N { get; }

    public int C { get; }

    public int OC { get; }

    public int Groups { get; }

    public WindowAxis Vertical { get; }

    public WindowAxis Horizontal { get; }

    /// <summary>
    /// Which image of x a sample of y meets, where this is one tap of a convolution with depth; by default its own.
    /// </summary>
    public DepthTap Depth { get; init; }

    /// <summary>Whether the filter, and with it its gradient, is given as [OC, KH, KW, C / groups].</summary>
    public bool HasTransposedFilter { get; init; }

    /// <summary>
    /// Whether y has to be sums of products of x and the filter themselves, which of integers are exact below 2^24. Algorithms
    /// that multiply transforms (Winograd's, Fourier's) round on the way.
    /// </summary>
    public bool IsDirect { get; init; }

    public int H => Vertical.Input;

    public int W => Horizontal.Input;

    public int KH => Vertical.Taps;

    public int KW => Horizontal.Taps;

    public int OH => Vertical.Output;

    public int OW => Horizontal.Output;

    public int GroupC => C / Groups;

    public int GroupOC => OC / Groups;

    /// <summary>Images of x.</summary>
    public int Images => Depth.IsFlat ? N : N / Depth.Samples * Depth.Images;

    public long InputCount => (long)Images * H * W * C;

    public long FilterCount => (long)KH * KW * GroupC * OC;

    /// <summary>Elements of the filter before those of this tap.</summary>
    public long FilterOffset => Depth.Index * FilterCount;

    public long OutputCount => (long)N * OH * OW * OC;

    /// <summary>Multiplications and additions of one pass, counting those with padding: the figure that peers quote.</summary>
    public double Flops => 2.0 * OutputCount * KH * KW * GroupC;

    /// <summary>True when the convolution is a plain product [N*H*W,C] x [C,OC].</summary>
    public bool IsMatrixProduct =>
        KH == 1 && KW == 1 && Groups == 1 && Depth.IsFlat && Vertical.Stride == 1 && Horizontal.Stride == 1 && Vertical.IsInside
            && Horizontal.IsInside
        && OH == H && OW == W;

    public bool IsDepthwise => Groups == C && C > 1;

    /// <summary>Checks the sizes and computes padding and output size.</summary>
    /// <exception cref="ShapeException">A size other than the batch's is not positive, does not divide, overflows, or the kernel
    /// does not fit.</exception>
    public static Conv2DGeometry Create(
        int n, int h, int w, int c, int oc, int kh, int kw, Padding2D padding,
        int strideH = 1, int strideW = 1, int dilationH = 1, int dilationW = 1, int groups = 1)
    {
        const string operation = "Conv2D";
        WindowAxis vertical = padding.IsSame
            ? WindowAxis.Same(operation, "height", h, kh, strideH, dilationH)
            : WindowAxis.Create(operation, "height", h, kh, strideH, dilationH, padding.Top, padding.Bottom);
        WindowAxis horizontal = padding.IsSame
            ? WindowAxis.Same(operation, "width", w, kw, strideW, dilationW)
            : WindowAxis.Create(operation, "width", w, kw, strideW, dilationW, padding.Left, padding.Right);
        return Create(operation, n, c, oc, groups, vertical, horizontal);
    }

    /// <summary>Checks the sizes; the axes are given.</summary>
    /// <exception cref="ShapeException">A size other than the batch's is not positive, does not divide, or overflows.</exception>
    public static Conv2DGeometry Create(
        string operation, int n, int c, int oc, int groups, in WindowAxis vertical, in WindowAxis horizontal)
    {
        // An empty batch gives an empty output, as in PyTorch.
        if (n < 0 || c <= 0 || oc <= 0 || groups <= 0)
        {
            throw new ShapeException(
                $"{operation}: expected a batch of at least 0 and at least 1 channel, filter and group, got {n}, {c}, {oc} and {groups}.");
        }

        if (c % groups != 0 || oc % groups != 0)
        {
            throw new ShapeException($"{operation}: {groups} groups do not divide {c} input channels and {oc} filters.");
        }

        var geometry = new Conv2DGeometry(n, c, oc, groups, vertical, horizontal);
        CheckCount(operation, "input", n, geometry.H, geometry.W, c);
        CheckCount(operation, "filter", geometry.KH, geometry.KW, geometry.GroupC, oc);
        CheckCount(operation, "output", n, geometry.OH, geometry.OW, oc);
        return geometry;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"x [{N},{H},{W},{C}], filter [{KH},{KW},{GroupC},{OC}], y [{N},{OH},{OW},{OC}], stride {Vertical.Stride}x{Horizontal.Stride}, " +
        $"dilation {Vertical.Dilation}x{Horizontal.Dilation}, groups {Groups}, padding {Vertical.PadBefore}+{Vertical.PadAfter} x " +
        $"{Horizontal.PadBefore}+{Horizontal.PadAfter}";

    private static void CheckCount(string operation, string what, long a, long b, long c, long d)
    {
        // Bytes must fit a signed 64-bit offset with room to spare; 2^48 elements are beyond any machine.
        if ((double)a * b * c * d > 1L << 48)
        {
            throw new ShapeException($"{operation}: the {what} [{a},{b},{c},{d}] has too many elements.");
        }
    }
}
