namespace FastNN;

/// <summary>
/// Layer normalization (Ba et al., 2016) over the trailing axes, with PyTorch's parameters "weight" and "bias".
/// </summary>
/// <param name="axes">How many trailing axes; default 1.</param>
public sealed class LayerNorm(int axes = 1) : Layer
{
    private Parameter? _weight;
    private Parameter? _bias;

    /// <summary>Added to the variance; default 1e-5.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>Have a weight and a bias; default true.</summary>
    public bool IsAffine { get; init; } = true;

    /// <summary>The weight, of the trailing axes' shape, once built and if there is one.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The bias, likewise.</summary>
    public Parameter? Bias => _bias;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (axes < 1 || axes >= x.Shape.Rank)
        {
            throw new ShapeException(
                $"LayerNorm: expected 1 to {x.Shape.Rank - 1} trailing axes of input {x.Shape}, got {axes}.");
        }

        if (IsAffine)
        {
            ParameterLayout layout = axes == 1 ? ParameterLayout.OfFeatures(x) : ParameterLayout.AsIs;
            _weight = AddParameter("weight", x.Shape[^axes..], Initializer.Constant(1), layout);
            _bias = AddParameter("bias", x.Shape[^axes..], Initializer.Zeros, layout);
        }
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => IsAffine
        ? x.LayerNorm(x.Graph.Use(_weight!), x.Graph.Use(_bias!), axes, Epsilon)
        : x.LayerNorm(axes: axes, eps: Epsilon);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("axes", axes).Set("epsilon", Epsilon).Set("isAffine", IsAffine);
    }

    internal static LayerNorm Create(LayerDescription description) => new(description.Int32("axes"))
    {
        Name = description.Name,
        Epsilon = description.Single("epsilon"),
        IsAffine = description.Boolean("isAffine"),
    };
}

/// <summary>
/// Batch normalization (Ioffe and Szegedy, 2015) of the last axis. Training takes the batch's statistics and keeps running ones,
/// inference takes those. Parameters and statistics have PyTorch's names: weight, bias, running_mean, running_var.
/// </summary>
public abstract class BatchNorm : Layer
{
    private Parameter? _weight;
    private Parameter? _bias;

    private protected BatchNorm()
    {
    }

    /// <summary>Of the batch in the running statistics; default 0.1 (PyTorch).</summary>
    public float Momentum { get; init; } = 0.1f;

    /// <summary>Added to the variance; default 1e-5.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>Have a weight and a bias; default true.</summary>
    public bool IsAffine { get; init; } = true;

    /// <summary>The weight [C], once built and if there is one.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The bias [C], likewise.</summary>
    public Parameter? Bias => _bias;

    /// <summary>The running mean [C], once built.</summary>
    public Parameter? RunningMean { get; private set; }

    /// <summary>The running variance [C], once built.</summary>
    public Parameter? RunningVariance { get; private set; }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("momentum", Momentum).Set("epsilon", Epsilon).Set("isAffine", IsAffine);
    }

    /// <summary>Whether an input has the axes of this layer.</summary>
    private protected abstract bool Takes(Shape x);

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (!Takes(x.Shape))
        {
            throw new ShapeException($"{GetType().Name}: input {x.Shape} does not have the axes expected.");
        }

        var channels = new Shape(x.Shape[-1]);
        ParameterLayout layout = ParameterLayout.OfFeatures(x);
        if (IsAffine)
        {
            _weight = AddParameter("weight", channels, Initializer.Constant(1), layout);
            _bias = AddParameter("bias", channels, Initializer.Zeros, layout);
        }

        RunningMean = AddBuffer("running_mean", channels, Initializer.Zeros, layout);
        RunningVariance = AddBuffer("running_var", channels, Initializer.Constant(1), layout);
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Graph graph = x.Graph;
        return x.BatchNorm(
            graph.Use(RunningMean!), graph.Use(RunningVariance!), _weight is null ? null : graph.Use(_weight),
            _bias is null ? null : graph.Use(_bias),
            Momentum, Epsilon);
    }
}

/// <summary>Batch normalization of [N, C] or [N, L, C].</summary>
public sealed class BatchNorm1D : BatchNorm
{
    private protected override bool Takes(Shape x) => x.Rank is 2 or 3;

    internal static BatchNorm1D Create(LayerDescription description) => new()
    {
        Name = description.Name,
        Momentum = description.Single("momentum"),
        Epsilon = description.Single("epsilon"),
        IsAffine = description.Boolean("isAffine"),
    };
}

/// <summary>Batch normalization of images [N, H, W, C].</summary>
public sealed class BatchNorm2D : BatchNorm
{
    private protected override bool Takes(Shape x) => x.Rank == 4;

    internal static BatchNorm2D Create(LayerDescription description) => new()
    {
        Name = description.Name,
        Momentum = description.Single("momentum"),
        Epsilon = description.Single("epsilon"),
        IsAffine = description.Boolean("isAffine"),
    };
}
