using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A two-dimensional convolution, PyTorch's Conv2d: y = f(conv(x, weight) + bias). [N, H, W, C] becomes [N, OH, OW, filters].
/// </summary>
public sealed class Conv2D : ConvolutionLayer
{
    private readonly int _filters;
    private readonly Size2D _kernel;

    /// <summary>A convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernel">Rows and columns of the kernel: <c>3</c> or <c>(3, 1)</c>.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public Conv2D(int filters, Size2D kernel, Activation activation = default)
        : base(activation)
    {
        RequireSizes(filters, kernel.Rows, kernel.Columns);
        (_filters, _kernel) = (filters, kernel);
    }

    private Conv2D(LayerDescription description)
        : this(description.Int32("filters"), description.Size("kernel"), description.Activation())
    {
        Name = description.Name;
        Read(description);
        Stride = description.Size("stride", 1);
        Padding = description.Padding();
        Dilation = description.Size("dilation", 1);
        Groups = description.Int32("groups", 1);
    }

    /// <summary>Rows and columns between windows; default 1.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>How the borders are extended; default valid (not at all).</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Rows and columns between a window's taps; default 1.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <summary>Groups of channels convolved separately; divides the channels and the filters. Default 1.</summary>
    public int Groups { get; init; } = 1;

    private protected override int[] Kernel => [_kernel.Rows, _kernel.Columns];

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("filters", _filters).Set("kernel", _kernel);
        DescribeActivation(description);
        description.SetWindow(Stride, Padding, Dilation);
        DescribeRest(description, Groups);
    }

    internal static Conv2D Create(LayerDescription description) => new(description);

    private protected override (int Filters, int Groups) ChannelsFor(int channels) => (_filters, Groups);

    private protected override Value Convolve(Value x, Value weight, Value? bias) =>
        x.Conv2D(weight, bias, Stride, Padding, Dilation, Groups);
}
