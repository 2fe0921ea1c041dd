using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A three-dimensional transposed convolution, PyTorch's ConvTranspose3d: the gradient of a convolution by its data, which makes
/// [N, D, H, W, C] [N, OD, OH, OW, filters]; along each axis (input - 1) stride - 2 padding + dilation (kernel - 1) + output
/// padding + 1.
/// </summary>
public sealed class ConvTranspose3D : ConvolutionLayer
{
    private readonly int _filters;
    private readonly Size3D _kernel;

    /// <summary>A transposed convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernel">Planes, rows and columns of the kernel: <c>3</c> or <c>(1, 3, 3)</c>.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public ConvTranspose3D(int filters, Size3D kernel, Activation activation = default)
        : base(activation)
    {
        RequireSizes(filters, kernel.Planes, kernel.Rows, kernel.Columns);
        (_filters, _kernel) = (filters, kernel);
    }

    private ConvTranspose3D(LayerDescription description)
        : this(description.Int32("filters"), description.Volume("kernel"), description.Activation())
    {
        Name = description.Name;
        Read(description);
        Stride = description.Volume("stride", 1);
        Padding = description.Volume("padding", 0);
        OutputPadding = description.Volume("outputPadding", 0);
        Dilation = description.Volume("dilation", 1);
        Groups = description.Int32("groups", 1);
    }

    /// <summary>Planes, rows and columns between the windows that one input goes to; default 1.</summary>
    public Size3D Stride { get; init; } = 1;

    /// <summary>Planes, rows and columns by which the output is smaller, before and behind; default 0.</summary>
    public Size3D Padding { get; init; } = 0;

    /// <summary>Planes, rows and columns more behind, fewer than the stride or the dilation; default 0.</summary>
    public Size3D OutputPadding { get; init; } = 0;

    /// <summary>Planes, rows and columns between a window's taps; default 1.</summary>
    public Size3D Dilation { get; init; } = 1;

    /// <summary>Groups of channels convolved separately; divides the channels and the filters. Default 1.</summary>
    public int Groups { get; init; } = 1;

    private protected override int[] Kernel => [_kernel.Planes, _kernel.Rows, _kernel.Columns];

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

    internal static ConvTranspose3D Create(LayerDescription description) => new(description);

    private protected override (int Filters, int Groups) ChannelsFor(int channels) => (_filters, Groups);

    private protected override Value Convolve(Value x, Value weight, Value? bias) =>
        x.ConvTranspose3D(weight, bias, Stride, Padding, OutputPadding, Dilation, Groups);
}
