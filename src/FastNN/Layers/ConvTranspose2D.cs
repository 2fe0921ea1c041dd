using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A two-dimensional transposed convolution, PyTorch's ConvTranspose2d: the gradient of a convolution by its data, which makes
/// [N, H, W, C] [N, OH, OW, filters]; along each axis (input - 1) stride - 2 padding + dilation (kernel - 1) + output padding +
/// 1.
/// </summary>
public sealed class ConvTranspose2D : ConvolutionLayer
{
    private readonly int _filters;
    private readonly Size2D _kernel;

    /// <summary>A transposed convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernel">Rows and columns of the kernel: <c>3</c> or <c>(3, 1)</c>.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public ConvTranspose2D(int filters, Size2D kernel, Activation activation = default)
        : base(activation)
    {
        RequireSizes(filters, kernel.Rows, kernel.Columns);
        (_filters, _kernel) = (filters, kernel);
    }

    private ConvTranspose2D(LayerDescription description)
        : this(description.Int32("filters"), description.Size("kernel"), description.Activation())
    {
        Name = description.Name;
        Read(description);
        Stride = description.Size("stride", 1);
        Padding = description.Size("padding", 0);
        OutputPadding = description.Size("outputPadding", 0);
        Dilation = description.Size("dilation", 1);
        Groups = description.Int32("groups", 1);
    }

    /// <summary>Rows and columns between the windows that one input goes to; default 1.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>Rows and columns by which the output is smaller, before and behind; default 0.</summary>
    public Size2D Padding { get; init; } = 0;

    /// <summary>Rows and columns more behind, fewer than the stride or the dilation; default 0.</summary>
    public Size2D OutputPadding { get; init; } = 0;

    /// <summary>Rows and columns between a window's taps; default 1.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <summary>Groups of channels convolved separately; divides the channels and the filters. Default 1.</summary>
    public int Groups { get; init; } = 1;

    private protected override int[] Kernel => [_kernel.Rows, _kernel.Columns];

    private protected override bool IsTransposed => true;

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("filters", _filters).Set("kernel", _kernel);
        DescribeActivation(description);
        description.SetUnless("stride", Stride, 1).SetUnless("padding", Padding, 0).SetUnless("outputPadding", OutputPadding, 0)
            .SetUnless("dilation", Dilation, 1);
        DescribeRest(description, Groups);
    }

    internal static ConvTranspose2D Create(LayerDescription description) => new(description);

    private protected override (int Filters, int Groups) ChannelsFor(int channels) => (_filters, Groups);

    private protected override Value Convolve(Value x, Value weight, Value? bias) =>
        x.ConvTranspose2D(weight, bias, Stride, Padding, OutputPadding, Dilation, Groups);
}
