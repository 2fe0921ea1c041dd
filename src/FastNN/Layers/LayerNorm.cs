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
/// Root mean square normalization (Zhang and Sennrich, 2019) over the trailing axes, with PyTorch's parameter "weight".
/// </summary>
/// <param name="axes">How many trailing axes; default 1.</param>
public sealed class RMSNorm(int axes = 1) : Layer
{
    private Parameter? _weight;

    /// <summary>Added to the mean of squares; default that of PyTorch, the distance from 1 to the next float.</summary>
    public float Epsilon { get; init; } = 1.1920929e-7f;

    /// <summary>Have a weight; default true.</summary>
    public bool IsAffine { get; init; } = true;

    /// <summary>The weight, of the trailing axes' shape, once built and if there is one.</summary>
    public Parameter? Weight => _weight;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (axes < 1 || axes >= x.Shape.Rank)
        {
            throw new ShapeException(
                $"RMSNorm: expected 1 to {x.Shape.Rank - 1} trailing axes of input {x.Shape}, got {axes}.");
        }

        if (IsAffine)
        {
            ParameterLayout layout = axes == 1 ? ParameterLayout.OfFeatures(x) : ParameterLayout.AsIs;
            _weight = AddParameter("weight", x.Shape[^axes..], Initializer.Constant(1), layout);
        }
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.RMSNorm(_weight is null ? null : x.Graph.Use(_weight), axes, Epsilon);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("axes", axes).Set("epsilon", Epsilon).Set("isAffine", IsAffine);
    }

    internal static RMSNorm Create(LayerDescription description) => new(description.Int32("axes"))
    {
        Name = description.Name,
        Epsilon = description.Single("epsilon"),
        IsAffine = description.Boolean("isAffine"),
    };
}
