using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A one-dimensional convolution, PyTorch's Conv1d: y = f(conv(x, weight) + bias). [N, L, C] becomes [N, OL, filters].
/// </summary>
public sealed class Conv1D : ConvolutionLayer
{
    private readonly int _filters;
    private readonly int _kernel;

    /// <summary>A convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernel">Taps of the kernel.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public Conv1D(int filters, int kernel, Activation activation = default)
        : base(activation)
    {
        RequireSizes(filters, kernel);
        (_filters, _kernel) = (filters, kernel);
    }

    private Conv1D(LayerDescription description)
        : this(description.Int32("filters"), description.Int32("kernel"), description.Activation())
    {
        Name = description.Name;
        Read(description);
        Stride = description.Int32("stride", 1);
        Padding = description.Ends();
        Dilation = description.Int32("dilation", 1);
        Groups = description.Int32("groups", 1);
    }

    /// <summary>Positions between windows; default 1.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>How the borders are extended; default valid (not at all).</summary>
    public Padding1D Padding { get; init; } = Padding1D.Valid;

    /// <summary>Positions between a window's taps; default 1.</summary>
    public int Dilation { get; init; } = 1;

    /// <summary>Groups of channels convolved separately; divides the channels and the filters. Default 1.</summary>
    public int Groups { get; init; } = 1;

    private protected override int[] Kernel => [_kernel];

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("filters", _filters).Set("kernel", _kernel);
        DescribeActivation(description);
        description.SetWindow(Stride, Padding, Dilation);
        DescribeRest(description, Groups);
    }

    internal static Conv1D Create(LayerDescription description) => new(description);

    private protected override (int Filters, int Groups) ChannelsFor(int channels) => (_filters, Groups);

    private protected override Value Convolve(Value x, Value weight, Value? bias) =>
        x.Conv1D(weight, bias, Stride, Padding, Dilation, Groups);
}
