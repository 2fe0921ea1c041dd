using FastNN.Layers;

namespace FastNN;

/// <summary>A two-dimensional convolution: y = f(conv(x, weight) + bias). [N, H, W, C] becomes [N, OH, OW, filters].</summary>
public sealed class Conv2D : Layer
{
    private readonly int _filters;
    private readonly Size2D _kernel;
    private readonly Activation _activation;
    private Parameter? _weight;
    private Parameter? _bias;

    /// <summary>A convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernel">Rows and columns of the kernel: <c>3</c> or <c>(3, 1)</c>.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public Conv2D(int filters, Size2D kernel, Activation activation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(filters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(kernel.Rows, nameof(kernel));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(kernel.Columns, nameof(kernel));
        (_filters, _kernel, _activation) = (filters, kernel, activation);
    }

    /// <summary>Rows and columns between windows; default 1.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>How the borders are extended; default valid (not at all).</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Rows and columns between a window's taps; default 1.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <summary>Groups of channels convolved separately; divides the channels and the filters. Default 1.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Add a bias; default true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>What the filter is drawn from; default Glorot uniform (Keras).</summary>
    public Initializer WeightInitializer { get; init; } = Initializer.GlorotUniform;

    /// <summary>What the bias is drawn from; default zeros (Keras).</summary>
    public Initializer BiasInitializer { get; init; } = Initializer.Zeros;

    /// <summary>A penalty on the filter; default none.</summary>
    public Regularizer? WeightRegularizer { get; init; }

    /// <summary>The filter [KH, KW, C / groups, filters], once built.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The bias [filters], once built and if there is one.</summary>
    public Parameter? Bias => _bias;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (x.Shape.Rank != 4)
        {
            throw new ShapeException($"Conv2D: expected a batch of images [N, H, W, C], got an input of shape {x.Shape}.");
        }

        if (Groups <= 0 || x.Shape[3] % Groups != 0 || _filters % Groups != 0)
        {
            throw new ShapeException($"Conv2D: {Groups} groups do not divide {x.Shape[3]} channels and {_filters} filters.");
        }

        _weight = AddParameter(
            "weight", new Shape(_kernel.Rows, _kernel.Columns, x.Shape[3] / Groups, _filters), WeightInitializer,
            ParameterLayout.Filter);
        _bias = UseBias ? AddParameter("bias", new Shape(_filters), BiasInitializer) : null;
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Value weight = x.Graph.Use(_weight!);
        WeightRegularizer?.AddTo(weight);
        return x.Conv2D(weight, _bias is null ? null : x.Graph.Use(_bias), Stride, Padding, Dilation, Groups).Activate(
            _activation);
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("filters", _filters).Set("kernel", _kernel).Set("activation", _activation);
        if (Stride != 1)
        {
            description.Set("stride", Stride);
        }

        description.Set("padding", Padding);
        if (Dilation != 1)
        {
            description.Set("dilation", Dilation);
        }

        if (Groups != 1)
        {
            description.Set("groups", Groups);
        }

        if (!UseBias)
        {
            description.Set("useBias", UseBias);
        }

        description.Set("weightInitializer", WeightInitializer, Initializer.GlorotUniform)
            .Set("biasInitializer", BiasInitializer, Initializer.Zeros)
            .Set(WeightRegularizer);
    }

    internal static Conv2D Create(LayerDescription description) =>
        new(description.Int32("filters"), description.Size("kernel"), description.Activation())
        {
            Name = description.Name,
            Stride = description.Size("stride", 1),
            Padding = description.Padding(),
            Dilation = description.Size("dilation", 1),
            Groups = description.Int32("groups", 1),
            UseBias = description.Boolean("useBias", true),
            WeightInitializer = description.Initializer("weightInitializer", Initializer.GlorotUniform),
            BiasInitializer = description.Initializer("biasInitializer", Initializer.Zeros),
            WeightRegularizer = description.Regularizer(),
        };
}
