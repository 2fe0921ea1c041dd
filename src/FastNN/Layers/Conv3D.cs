using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A three-dimensional convolution, PyTorch's Conv3d: y = f(conv(x, weight) + bias). [N, D, H, W, C] becomes [N, OD, OH, OW,
/// filters].
/// </summary>
public sealed class Conv3D : ConvolutionLayer
{
    private readonly int _filters;
    private readonly Size3D _kernel;

    /// <summary>A convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernel">Planes, rows and columns of the kernel: <c>3</c> or <c>(1, 3, 3)</c>.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public Conv3D(int filters, Size3D kernel, Activation activation = default)
        : base(activation)
    {
        RequireSizes(filters, kernel.Planes, kernel.Rows, kernel.Columns);
        (_filters, _kernel) = (filters, kernel);
    }

    private Conv3D(LayerDescription description)
        : this(description.Int32("filters"), description.Volume("kernel"), description.Activation())
    {
        Name = description.Name;
        Read(description);
        Stride = description.Volume("stride", 1);
        Padding = description.Faces();
        Dilation = description.Volume("dilation", 1);
        Groups = description.Int32("groups", 1);
    }

    /// <summary>Planes, rows and columns between windows; default 1.</summary>
    public Size3D Stride { get; init; } = 1;

    /// <summary>How the borders are extended; default valid (not at all).</summary>
    public Padding3D Padding { get; init; } = Padding3D.Valid;

    /// <summary>Planes, rows and columns between a window's taps; default 1.</summary>
    public Size3D Dilation { get; init; } = 1;

    /// <summary>Groups of channels convolved separately; divides the channels and the filters. Default 1.</summary>
    public int Groups { get; init; } = 1;

    private protected override int[] Kernel => [_kernel.Planes, _kernel.Rows, _kernel.Columns];

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("filters", _filters).Set("kernel", _kernel);
        DescribeActivation(description);
        description.SetWindow(Stride, Padding, Dilation);
        DescribeRest(description, Groups);
    }

    internal static Conv3D Create(LayerDescription description) => new(description);

    private protected override (int Filters, int Groups) ChannelsFor(int channels) => (_filters, Groups);

    private protected override Value Convolve(Value x, Value weight, Value? bias) =>
        x.Conv3D(weight, bias, Stride, Padding, Dilation, Groups);
}
