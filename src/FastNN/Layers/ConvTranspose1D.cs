using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A one-dimensional transposed convolution, PyTorch's ConvTranspose1d: the gradient of a convolution by its data, which makes
/// [N, L, C] [N, OL, filters]; along each axis (input - 1) stride - 2 padding + dilation (kernel - 1) + output padding + 1.
/// </summary>
public sealed class ConvTranspose1D : ConvolutionLayer
{
    private readonly int _filters;
    private readonly int _kernel;

    /// <summary>A transposed convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernel">Taps of the kernel.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public ConvTranspose1D(int filters, int kernel, Activation activation = default)
        : base(activation)
    {
        RequireSizes(filters, kernel);
        (_filters, _kernel) = (filters, kernel);
    }

    private ConvTranspose1D(LayerDescription description)
        : this(description.Int32("filters"), description.Int32("kernel"), description.Activation())
    {
        Name = description.Name;
        Read(description);
        Stride = description.Int32("stride", 1);
        Padding = description.Int32("padding", 0);
        OutputPadding = description.Int32("outputPadding", 0);
        Dilation = description.Int32("dilation", 1);
        Groups = description.Int32("groups", 1);
    }

    /// <summary>Positions between the windows that one input goes to; default 1.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Positions by which the output is smaller, before and behind; default 0.</summary>
    public int Padding { get; init; }

    /// <summary>Positions more behind, fewer than the stride or the dilation; default 0.</summary>
    public int OutputPadding { get; init; }

    /// <summary>Positions between a window's taps; default 1.</summary>
    public int Dilation { get; init; } = 1;

    /// <summary>Groups of channels convolved separately; divides the channels and the filters. Default 1.</summary>
    public int Groups { get; init; } = 1;

    private protected override int[] Kernel => [_kernel];

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

    internal static ConvTranspose1D Create(LayerDescription description) => new(description);

    private protected override (int Filters, int Groups) ChannelsFor(int channels) => (_filters, Groups);

    private protected override Value Convolve(Value x, Value weight, Value? bias) =>
        x.ConvTranspose1D(weight, bias, Stride, Padding, OutputPadding, Dilation, Groups);
}
