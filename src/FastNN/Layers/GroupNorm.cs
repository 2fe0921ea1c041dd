namespace FastNN;

/// <summary>
/// Group normalization (Wu and He, 2018) of the last axis, the channels, in groups of neighbors, with PyTorch's parameters
/// "weight" and "bias" [C].
/// </summary>
/// <param name="groups">How many groups; the channels must be divisible by it.</param>
public sealed class GroupNorm(int groups) : Layer
{
    private Parameter? _weight;
    private Parameter? _bias;

    /// <summary>Added to the variance; default 1e-5.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>Have a weight and a bias; default true.</summary>
    public bool IsAffine { get; init; } = true;

    /// <summary>The weight [C], once built and if there is one.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The bias [C], likewise.</summary>
    public Parameter? Bias => _bias;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (x.Shape.Rank < 2)
        {
            throw new ShapeException($"GroupNorm: expected an input [N, ..., C], got {x.Shape}.");
        }

        if (x.FlattenedImage is not null)
        {
            // Groups of neighbors here would be other groups than in PyTorch, which flattens channels first.
            throw new ShapeException($"GroupNorm: expected channels, got a flattened image {x.Shape}; normalize it first.");
        }

        if (IsAffine)
        {
            var channels = new Shape(x.Shape[-1]);
            _weight = AddParameter("weight", channels, Initializer.Constant(1));
            _bias = AddParameter("bias", channels, Initializer.Zeros);
        }
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.GroupNorm(
        groups, _weight is null ? null : x.Graph.Use(_weight), _bias is null ? null : x.Graph.Use(_bias), Epsilon);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("groups", groups).Set("epsilon", Epsilon).Set("isAffine", IsAffine);
    }

    internal static GroupNorm Create(LayerDescription description) => new(description.Int32("groups"))
    {
        Name = description.Name,
        Epsilon = description.Single("epsilon"),
        IsAffine = description.Boolean("isAffine"),
    };
}
