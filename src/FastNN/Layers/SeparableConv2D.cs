using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A depthwise convolution without bias, then a convolution of 1 x 1 that mixes the channels, as Keras has it. [N, H, W, C]
/// becomes [N, OH, OW, filters]. Its parameters are depthwise.weight, pointwise.weight and pointwise.bias, as those of two
/// PyTorch Conv2d.
/// </summary>
public sealed class SeparableConv2D : Layer
{
    private readonly int _filters;
    private readonly Size2D _kernel;
    private readonly Activation _activation;
    private DepthwiseConv2D? _depthwise;
    private Conv2D? _pointwise;

    /// <summary>A separable convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernel">Rows and columns of the depthwise kernel: <c>3</c> or <c>(3, 1)</c>.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public SeparableConv2D(int filters, Size2D kernel, Activation activation = default)
    {
        RequirePositive(filters);
        RequirePositive(kernel.Rows, nameof(kernel));
        RequirePositive(kernel.Columns, nameof(kernel));
        (_filters, _kernel, _activation) = (filters, kernel, activation);
    }

    /// <summary>Depthwise filters for each channel; default 1.</summary>
    public int Multiplier { get; init; } = 1;

    /// <summary>Rows and columns between windows; default 1.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>How the borders are extended; default valid (not at all).</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Rows and columns between a window's taps; default 1.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <summary>Add a bias; default true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>What both filters are drawn from; default Glorot uniform (Keras).</summary>
    public Initializer WeightInitializer { get; init; } = Initializer.GlorotUniform;

    /// <summary>What the bias is drawn from; default zeros (Keras).</summary>
    public Initializer BiasInitializer { get; init; } = Initializer.Zeros;

    /// <summary>A penalty on both filters; default none.</summary>
    public Regularizer? WeightRegularizer { get; init; }

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        _depthwise = AddLayer(
            new DepthwiseConv2D(_kernel)
            {
                Multiplier = Multiplier,
                Stride = Stride,
                Padding = Padding,
                Dilation = Dilation,
                UseBias = false,
                WeightInitializer = WeightInitializer,
                WeightRegularizer = WeightRegularizer,
            },
            "depthwise");
        _pointwise = AddLayer(
            new Conv2D(_filters, 1, _activation)
            {
                UseBias = UseBias,
                WeightInitializer = WeightInitializer,
                BiasInitializer = BiasInitializer,
                WeightRegularizer = WeightRegularizer,
            },
            "pointwise");
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => _pointwise!.Apply(_depthwise!.Apply(x));

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("filters", _filters).Set("kernel", _kernel).Set("activation", _activation)
            .SetUnless("multiplier", Multiplier, 1).SetWindow(Stride, Padding, Dilation);
        if (!UseBias)
        {
            description.Set("useBias", UseBias);
        }

        description.Set("weightInitializer", WeightInitializer, Initializer.GlorotUniform)
            .Set("biasInitializer", BiasInitializer, Initializer.Zeros)
            .Set(WeightRegularizer);
    }

    internal static SeparableConv2D Create(LayerDescription description) =>
        new(description.Int32("filters"), description.Size("kernel"), description.Activation())
        {
            Name = description.Name,
            Multiplier = description.Int32("multiplier", 1),
            Stride = description.Size("stride", 1),
            Padding = description.Padding(),
            Dilation = description.Size("dilation", 1),
            UseBias = description.Boolean("useBias", true),
            WeightInitializer = description.Initializer("weightInitializer", Initializer.GlorotUniform),
            BiasInitializer = description.Initializer("biasInitializer", Initializer.Zeros),
            WeightRegularizer = description.Regularizer(),
        };
}
