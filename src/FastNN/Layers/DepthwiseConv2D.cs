using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A convolution of each channel by filters of its own, as Keras has it; PyTorch's Conv2d with as many groups as channels.
/// [N, H, W, C] becomes [N, OH, OW, C * multiplier], the filters of one channel side by side.
/// </summary>
public sealed class DepthwiseConv2D : ConvolutionLayer
{
    private readonly Size2D _kernel;

    /// <summary>A depthwise convolution.</summary>
    /// <param name="kernel">Rows and columns of the kernel: <c>3</c> or <c>(3, 1)</c>.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public DepthwiseConv2D(Size2D kernel, Activation activation = default)
        : base(activation)
    {
        RequireSizes(1, kernel.Rows, kernel.Columns);
        _kernel = kernel;
    }

    private DepthwiseConv2D(LayerDescription description)
        : this(description.Size("kernel"), description.Activation())
    {
        Name = description.Name;
        Read(description);
        Multiplier = description.Int32("multiplier", 1);
        Stride = description.Size("stride", 1);
        Padding = description.Padding();
        Dilation = description.Size("dilation", 1);
    }

    /// <summary>Filters for each channel; default 1.</summary>
    public int Multiplier { get; init; } = 1;

    /// <summary>Rows and columns between windows; default 1.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>How the borders are extended; default valid (not at all).</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Rows and columns between a window's taps; default 1.</summary>
    public Size2D Dilation { get; init; } = 1;

    private protected override int[] Kernel => [_kernel.Rows, _kernel.Columns];

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("kernel", _kernel);
        DescribeActivation(description);
        description.SetUnless("multiplier", Multiplier, 1).SetWindow(Stride, Padding, Dilation);
        DescribeRest(description, 1);
    }

    internal static DepthwiseConv2D Create(LayerDescription description) => new(description);

    private protected override (int Filters, int Groups) ChannelsFor(int channels) =>
        Multiplier > 0 && (long)channels * Multiplier <= int.MaxValue
            ? (channels * Multiplier, channels)
            : throw new ShapeException(
                $"DepthwiseConv2D: expected a multiplier from 1 to {int.MaxValue / Math.Max(channels, 1)} for {channels} channels, got {Multiplier}.");

    private protected override Value Convolve(Value x, Value weight, Value? bias) =>
        x.Conv2D(weight, bias, Stride, Padding, Dilation, x.Shape[3]);
}
