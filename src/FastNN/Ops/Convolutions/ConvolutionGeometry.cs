using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>What a convolution is asked for along one axis.</summary>
internal readonly record struct WindowOptions(int Stride, int Dilation, int PadBefore, int PadAfter, int OutputPadding = 0)
{
    /// <summary>An axis that is not there.</summary>
    public static WindowOptions None => new(1, 1, 0, 0);
}

/// <summary>What a convolution of one to three axes is asked for; the sizes come from its inputs.</summary>
/// <param name="IsSame">The padding follows from the sizes (<see cref="Padding2D.Same"/>).</param>
internal readonly record struct ConvolutionOptions(
    WindowOptions Depth, WindowOptions Rows, WindowOptions Columns, bool IsSame, int Groups)
{
    /// <summary>Whether sums have to be of the products themselves (<see cref="Conv2DGeometry.IsDirect"/>).</summary>
    public bool IsDirect { get; init; }
}

/// <summary>
/// A convolution of one to three axes as two-dimensional ones. One axis is an image of height 1, a view. Three are a sum over the
/// kernel's depth: for each of its taps one convolution of all samples' images, each with the image that the tap takes it to,
/// which adds to what is there (<see cref="DepthTap"/>). So every kernel, stride, dilation, group and form of the
/// two-dimensional convolution serves all three, on all devices; what it costs is that sums are read and written once for each
/// tap of the depth, which products of KH * KW * C / groups terms outweigh unless they are depthwise.
/// </summary>
internal sealed partial class ConvolutionGeometry
{
    private const int MaxDepthTaps = 1 << 16;

    private readonly Conv2DGeometry[] _taps;

    // A tap that meets every sample (or every image): it can write where all others add.
    private readonly int _wholeForward;
    private readonly int _wholeData;

    private ConvolutionGeometry(Conv2DGeometry[] taps, Shape output)
    {
        (_taps, Output) = (taps, output);
        _wholeForward = Array.FindIndex(taps, tap => tap.Depth.MeetsAllSamples);
        _wholeData = Array.FindIndex(taps, tap => tap.Depth.MeetsAllImages);
    }

    /// <summary>The output's shape.</summary>
    public Shape Output { get; }

    /// <summary>The one two-dimensional convolution that it is; null where it is several, or the batch is empty.</summary>
    public Conv2DGeometry? Single => _taps.Length == 1 && !IsEmpty ? _taps[0] : null;

    /// <summary>Whether the batch is: then no pass runs, and no device plans one.</summary>
    private bool IsEmpty => _taps[0].N == 0;

    /// <summary>The sizes of x [N, ..., C] with weight [K..., C / groups, OC].</summary>
    /// <exception cref="ShapeException">A size is out of range, or the window does not fit.</exception>
    public static ConvolutionGeometry Create(
        string operation, int axes, in ConvolutionOptions options, in Shape x, in Shape weight, bool hasTransposedFilter = false)
    {
        WindowAxis depth = Axis(operation, axes, 0, options.Depth, options.IsSame, x, weight);
        WindowAxis vertical = Axis(operation, axes, 1, options.Rows, options.IsSame, x, weight);
        WindowAxis horizontal = Axis(operation, axes, 2, options.Columns, options.IsSame, x, weight);
        Shape output = Joined(axes, x[0], depth.Output, vertical.Output, horizontal.Output, weight[-1]);
        bool isDirect = options.IsDirect;
        Conv2DGeometry[] taps = Taps(operation, x[0], x[-1], weight[-1], options.Groups, depth, vertical, horizontal);
        return new ConvolutionGeometry(
            hasTransposedFilter || isDirect
                ? Array.ConvertAll(taps, tap => tap with { HasTransposedFilter = hasTransposedFilter, IsDirect = isDirect })
                : taps,
            output);
    }

    /// <summary>
    /// The sizes of a transposed convolution of x [N, ..., C] with weight [K..., OC / groups, C]: those of the convolution from
    /// its output to its input.
    /// </summary>
    /// <exception cref="ShapeException">A size is out of range.</exception>
    public static ConvolutionGeometry Transposed(
        string operation, int axes, in ConvolutionOptions options, in Shape x, in Shape weight)
    {
        WindowAxis depth = TransposedAxis(operation, axes, 0, options.Depth, x, weight);
        WindowAxis vertical = TransposedAxis(operation, axes, 1, options.Rows, x, weight);
        WindowAxis horizontal = TransposedAxis(operation, axes, 2, options.Columns, x, weight);
        int channels = weight[-2] * options.Groups;
        Shape output = Joined(axes, x[0], depth.Input, vertical.Input, horizontal.Input, channels);
        return new ConvolutionGeometry(
            Taps(operation, x[0], channels, x[-1], options.Groups, depth, vertical, horizontal), output);
    }

    /// <summary>Whether the device takes the filter transposed in these passes.</summary>
    public bool WantsTransposedFilter(IPlanning planning, params ReadOnlySpan<ConvolutionPass> passes)
    {
        foreach (ConvolutionPass pass in passes)
        {
            if (IsEmpty || _taps.Length > 1 || !planning.WantsTransposedFilter(_taps[0], pass))
            {
                return false;
            }
        }

        return true;
    }

    public long WorkspaceBytes(IPlanning planning, ConvolutionPass pass)
    {
        long bytes = 0;
        foreach (Conv2DGeometry tap in IsEmpty ? [] : _taps)
        {
            bytes = Math.Max(bytes, planning.Conv2DWorkspaceBytes(tap, pass));
        }

        return bytes;
    }

    private static Conv2DGeometry[] Taps(
        string operation, int n, int c, int oc, int groups, in WindowAxis depth, in WindowAxis vertical, in WindowAxis horizontal)
    {
        int samples = (long)n * Math.Max(depth.Output, depth.Input) <= int.MaxValue
            ? n * depth.Output
            : throw new ShapeException(
                $"{operation}: expected at most {int.MaxValue} images, got a batch of {n} with a depth of {depth.Input}.");
        Conv2DGeometry geometry = Conv2DGeometry.Create(operation, samples, c, oc, groups, vertical, horizontal);
        if (depth.Taps == 1 && depth.Stride == 1 && depth.PadBefore == 0 && depth.Input == depth.Output)
        {
            return [geometry];
        }

        if (depth.Taps > MaxDepthTaps)
        {
            throw new ShapeException(
                $"{operation}: expected a kernel of at most {MaxDepthTaps} planes, each of which is a convolution, got {depth.Taps}.");
        }

        var taps = new Conv2DGeometry[depth.Taps];
        for (int tap = 0; tap < taps.Length; tap++)
        {
            taps[tap] = geometry with { Depth = DepthTap.Of(depth, tap) };
        }

        return taps;
    }

    private static WindowAxis Axis(
        string operation, int axes, int axis, in WindowOptions o, bool isSame, in Shape x, in Shape weight)
    {
        (string name, int input, int taps) = Sizes(axes, axis, x, weight);
        return isSame
            ? WindowAxis.Same(operation, name, input, taps, o.Stride, o.Dilation)
            : WindowAxis.Create(operation, name, input, taps, o.Stride, o.Dilation, o.PadBefore, o.PadAfter);
    }

    private static WindowAxis TransposedAxis(
        string operation, int axes, int axis, in WindowOptions o, in Shape x, in Shape weight)
    {
        (string name, int input, int taps) = Sizes(axes, axis, x, weight);
        return WindowAxis.Transposed(
            operation, name, input, taps, o.Stride, o.Dilation, o.PadBefore, o.PadAfter, o.OutputPadding);
    }

    /// <summary>An axis of depth, height and width, of extent 1 where the convolution has fewer.</summary>
    private static (string Name, int Input, int Taps) Sizes(int axes, int axis, in Shape x, in Shape weight)
    {
        string name = axis == 0 ? "depth" : axis == 1 ? "height" : axes == 1 ? "length" : "width";
        int at = axis + axes - 3;
        return at < 0 ? (name, 1, 1) : (name, x[at + 1], weight[at]);
    }

    private static Shape Joined(int axes, int n, int depth, int height, int width, int channels) => axes switch
    {
        1 => new Shape(n, width, channels),
        2 => new Shape(n, height, width, channels),
        _ => new Shape(n, depth, height, width, channels),
    };
}
